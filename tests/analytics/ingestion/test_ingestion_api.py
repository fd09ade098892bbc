"""GET /api/analytics/ingestion returns the outcome of every event."""

from datetime import UTC, datetime

import pytest

from analytics.ingestion.inbox import Inbox
from analytics.models import ProjectKey
from tests import sdk
from tests.api import get, refused

pytestmark = pytest.mark.django_db

GOOD = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}
BAD = {"event": "used"}


@pytest.fixture(autouse=True)
def frozen(time_machine):
    time_machine.move_to(datetime(2024, 6, 1, 12, 30, tzinfo=UTC), tick=False)


def send(*events, key=None):
    sdk.post("/batch/", {"api_key": key.token if key else sdk.key(), "batch": events})


def test_the_response_has_every_outcome_with_its_reasons_and_adds_up():
    send(GOOD, BAD)
    send(GOOD)
    send(BAD)
    Inbox().process_batch()
    send(GOOD)
    answer = get("analytics/ingestion")
    assert (answer["from"], answer["to"], answer["by"]) == ("2024-05-19", "2024-06-01", "day")
    assert answer["total"] == {
        "accepted": 4,
        "stored": 1,
        "duplicate": 1,
        "erased": 0,
        "rejected": {"missing_field": 1},
        "waiting": 1,
        "changed": {},
        "refused": {"missing_field": 1},
        "limited": {},
        "adds_up": True,
        "missing": 0,
    }
    (day,) = answer["periods"]
    assert (day["start"], day["end"]) == ("2024-06-01T00:00:00Z", "2024-06-02T00:00:00Z")
    assert (day["project_key"], day["accepted"]) == ("Default", 4)


def test_the_ledger_can_be_queried_by_hour_and_key():
    send(GOOD)
    send(GOOD, key=ProjectKey.objects.create(name="Shop"))
    answer = get("analytics/ingestion", by="hour", project_key="Shop")
    (hour,) = answer["periods"]
    assert (hour["start"], hour["project_key"]) == ("2024-06-01T12:00:00Z", "Shop")
    assert answer["total"]["accepted"] == 1


def test_without_events_the_ledger_is_empty_and_adds_up():
    answer = get("analytics/ingestion", from_="2024-01-01", to="2024-01-31")
    assert (answer["periods"], answer["total"]["adds_up"]) == ([], True)


@pytest.mark.parametrize(
    ("field", "parameters"),
    [
        ("by", {"by": "week"}),
        ("project_key", {"project_key": "Unknown"}),
        ("from", {"from_": "2024-01-01", "by": "hour"}),
        ("from", {"from_": "2022-01-01"}),
        ("from", {"from_": "2025-01-01"}),
        ("to", {"from_": "2024-05-02", "to": "2024-05-01"}),
    ],
)
def test_a_bad_parameter_is_named(field, parameters):
    (error,) = refused("analytics/ingestion", **parameters)["errors"]
    assert error["field"] == field


def test_the_ledger_is_for_staff(client):
    assert client.get("/api/analytics/ingestion").status_code == 401
