"""S11: no cache stores an answer that may hold personal data."""

from contextlib import closing

import pytest

from analytics.models import DistinctId, Person
from tests.api import staff_client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "/api/analytics/persons",
        "/api/analytics/persons/ada",
        "/api/analytics/persons/unknown",
        "/api/analytics/events",
        "/api/billing/usage?distinct_id=ada",
        "/api/operational/kpi-status",
        "/api/nothing",
        "/metrics",
        "/billing/checkout/nonsense/",
        "/reports/unsubscribe/nonsense/",
        "/admin/",
    ],
)
def test_s11_answers_are_not_stored(path):
    DistinctId.objects.create(distinct_id="ada", person=Person.objects.create())
    assert "no-store" in staff_client().get(path).headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/admin/analytics/person/", "/admin/operational/", "/livez"])
def test_s11_pages_of_the_admin_are_not_stored_either(admin_client, path):
    assert "no-store" in admin_client.get(path).headers["Cache-Control"]


def test_static_files_are(client):
    with closing(client.get("/static/plumbline/admin.js")) as response:
        assert "max-age" in response.headers["Cache-Control"]
