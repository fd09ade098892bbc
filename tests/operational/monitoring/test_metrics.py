"""Prometheus reads the gauges, and nobody else does."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api import staff_client
from tests.operational.kpi_data import NOW, a_filled_project

pytestmark = pytest.mark.django_db


def samples():
    response = staff_client().get("/metrics")
    assert response.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_the_gauges_say_how_the_company_and_the_system_are(time_machine):
    time_machine.move_to(NOW, tick=False)
    a_filled_project()
    found = samples()
    assert found["plumbline_kpi", "d7_retention"] == 0.22
    assert 0 < found["plumbline_alignment_score",] < 100
    assert found["plumbline_inbox_requests",] == 0
    assert found["plumbline_component_health", "database"] == 1
    assert found["plumbline_alerts_firing",] == 0


def test_what_is_not_known_has_no_sample():
    found = samples()
    assert ("plumbline_alignment_score",) not in found
    assert ("plumbline_kpi", "d7_retention") not in found
    assert ("plumbline_data_quality_score",) not in found


def test_only_staff_read_them(client, django_user_model):
    assert client.get("/metrics").status_code == 401
    client.force_login(django_user_model.objects.create_user("ada"))
    assert client.get("/metrics").status_code == 403
