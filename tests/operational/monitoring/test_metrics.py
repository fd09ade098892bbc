"""Staff tokens, as Prometheus has one, read the gauges."""

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


def test_the_gauges_cover_the_company_and_the_system(time_machine):
    time_machine.move_to(NOW, tick=False)
    a_filled_project()
    gauges = samples()
    assert gauges["plumbline_kpi", "d7_retention"] == 0.22
    assert 0 < gauges["plumbline_alignment_score",] < 100
    assert gauges["plumbline_inbox_requests",] == 0
    assert gauges["plumbline_component_health", "database"] == 1
    assert gauges["plumbline_alerts_firing",] == 0


def test_unknown_values_have_no_sample():
    gauges = samples()
    assert ("plumbline_alignment_score",) not in gauges
    assert ("plumbline_kpi", "d7_retention") not in gauges
    assert ("plumbline_data_quality_score",) not in gauges


# Telegraf's inputs.prometheus, Prometheus before OpenMetrics, a browser
PROTOBUF = "application/vnd.google.protobuf"
ACCEPTS = [
    f"{PROTOBUF};proto=io.prometheus.client.MetricFamily;q=0.7,text/plain;version=0.0.4;q=0.3",
    "text/plain; version=0.0.4",
    "text/plain",
    "text/html",
    "application/openmetrics-text",
]


@pytest.mark.parametrize("accept", ACCEPTS)
def test_o12_every_scraper_gets_the_text(accept):
    response = staff_client().get("/metrics", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")


@pytest.mark.parametrize("accept", ["text/csv", "text/plain", "application/pdf, image/*"])
@pytest.mark.parametrize("path", ["operational/kpi-status", "analytics/persons", "schema/"])
def test_o12_no_endpoint_refuses_a_client_for_the_formats_it_names(path, accept):
    response = staff_client().get(f"/api/{path}", headers={"Accept": accept})
    assert response.status_code == 200


def test_o12_a_refusal_is_a_problem_object_whatever_is_accepted(client):
    response = client.get("/metrics", headers={"Accept": "text/plain"})
    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"


def test_o12_the_schema_is_json_for_who_accepts_json():
    response = staff_client().get("/api/schema/", headers={"Accept": "application/json"})
    assert response.headers["Content-Type"].startswith("application/json")


def test_only_staff_read_them(client, django_user_model):
    assert client.get("/metrics").status_code == 401
    client.force_login(django_user_model.objects.create_user("ada"))
    assert client.get("/metrics").status_code == 403
