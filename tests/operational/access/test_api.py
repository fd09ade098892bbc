from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from operational.kpis import readings
from operational.kpis.alignment import TREND_DAYS
from tests.operational.kpi_data import AS_OF, NOW, a_filled_project, noon, person
from tests.tokens import bearer

pytestmark = pytest.mark.django_db

ALIGNMENT, KPIS = "/api/operational/alignment-score", "/api/operational/kpi-status"
ENDPOINTS = pytest.mark.parametrize("path", [ALIGNMENT, KPIS])


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def staff():
    return User.objects.create_superuser("ada")


@pytest.fixture
def get(client, staff):
    headers = bearer(staff)
    return lambda path, **query: client.get(path, query, headers=headers)


@ENDPOINTS
def test_an_anonymous_request_gets_401(client, path):
    response = client.get(path)
    assert response.status_code == 401
    assert response.json()["title"] == "Unauthorized"


@ENDPOINTS
def test_a_user_who_is_not_staff_gets_403(client, path):
    eve = User.objects.create(username="eve", is_superuser=True)
    assert client.get(path, headers=bearer(eve)).status_code == 403


@ENDPOINTS
def test_a_token_of_a_deactivated_user_gets_401(client, path, staff):
    headers = bearer(staff)
    User.objects.update(is_active=False)
    assert client.get(path, headers=headers).status_code == 401


@ENDPOINTS
def test_a_staff_session_is_let_in(client, path, staff):
    client.force_login(staff)
    assert client.get(path).status_code == 200


@ENDPOINTS
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_staff_token_is_let_in_with_and_without_a_slash(get, path, slash):
    assert get(path + slash).status_code == 200


@ENDPOINTS
def test_a_post_gets_405(client, path, staff):
    assert client.post(path, headers=bearer(staff)).status_code == 405


@ENDPOINTS
@pytest.mark.parametrize("as_of", ["yesterday", "2026-02-30", "", "0001-01-01", "2026-04-01"])
def test_an_invalid_or_incomplete_day_gets_a_400_that_names_the_field(get, path, as_of):
    response = get(path, as_of=as_of)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["as_of"]


@ENDPOINTS
def test_the_default_day_is_the_last_complete_day(get, path):
    assert get(path).json()["as_of"] == "2026-03-31"


@ENDPOINTS
def test_a_past_day_can_be_requested(get, path):
    assert get(path, as_of="2025-12-24").json()["as_of"] == "2025-12-24"


@ENDPOINTS
def test_a_response_takes_few_queries_and_none_on_events(get, path):
    a_filled_project()
    days = [AS_OF - timedelta(days=ago) for ago in TREND_DAYS]
    readings.record_readings(days=days, now=NOW)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        get(path)
    assert len(queries) <= 20  # including those of billing
    assert not [query for query in queries if "analytics_event" in query["sql"]]


def test_the_alignment_score_comes_with_its_contributions(get):
    a_filled_project()
    body = get(ALIGNMENT).json()
    assert (body["band"], body["coverage"], body["provisional"]) == ("on_track", 0.7, False)
    parts = [part["contribution"] for part in body["contributions"] if part["counted"]]
    assert sum(parts) == pytest.approx(body["score"])
    assert [point["days_ago"] for point in body["trend"]] == [7, 14, 30, 60, 90]


def test_p34_an_empty_project_gets_nulls(get):
    body = get(ALIGNMENT).json()
    assert (body["score"], body["band"]) == (None, "insufficient_data")
    assert {kpi["status"] for kpi in get(KPIS).json()["kpis"]} == {"no_data"}


def test_every_number_of_a_kpi_is_explained(get):
    a_filled_project()
    kpi = get(KPIS).json()["kpis"][0]
    assert kpi["kpi"] == "d7_retention"
    assert (kpi["numerator"], kpi["denominator"], kpi["value"]) == (22, 100, 0.22)
    assert kpi["interval"]["low"] < 0.22 < kpi["interval"]["high"]
    assert (kpi["window_from"], kpi["window_to"]) == ("2026-02-23", "2026-03-24")
    assert kpi["goal"] == {
        "version": 1,
        "target": 0.25,
        "weight": 20,
        "warning": 0.2,
        "critical": 0.15,
        "basis": "",
    }
    assert all(kpi[key] for key in ("formula", "window", "exclusions", "formula_version", "source"))


def test_p07_the_definitions_come_with_the_numbers(get):
    assert get(KPIS).json()["definitions"] == {
        "time_zone": "UTC",
        "signup_event": "signed_up",
        "activation_event": "workflow_created",
        "passive_events": [],
    }


def test_the_activation_rate_comes_with_the_median_time_to_activation(get):
    person(noon(AS_OF - timedelta(days=9)), activated_after=timedelta(hours=3))
    activation = get(KPIS).json()["kpis"][1]
    (figure,) = activation["related_figures"]
    assert (figure["name"], figure["value"]) == ("Median time to activation", 3.0)
