"""The usage endpoints."""

import json

import pytest

from analytics.models import DistinctId
from billing.models import PlanLimit, UsageReservation
from tests.api import get, refused, staff_client
from tests.billing.limited_usage import NOW, limit, price, ran

CHECK = "/api/billing/usage/check"
UNKNOWN_ID = "6f1f0c1e-7b1b-4a8e-9d6b-0d6f3a1c2b4d"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("now")]


@pytest.fixture
def now(time_machine):
    time_machine.move_to(NOW, tick=False)


def post(headers=None, **fields):
    body = {"distinct_id": "ada", "meter": "workflow_runs"} | fields
    text = json.dumps(body)  # escapes what UTF-8 cannot encode
    return staff_client().post(CHECK, text, content_type="application/json", headers=headers)


def check(**fields):
    response = post(**fields)
    assert response.status_code == 200, response.content
    return response.json()


def test_usage_of_every_meter():
    limit(10)
    ran(7)
    answer = get("billing/usage", distinct_id="ada")
    [runs] = [meter for meter in answer["meters"] if meter["meter"] == "workflow_runs"]
    assert answer["plan"] == {
        "slug": "free",
        "name": "Free",
        "features": ["Community support"],
    }
    assert runs == {
        "meter": "workflow_runs",
        "name": "Workflow runs",
        "used": 7,
        "reserved": 0,
        "limit": 10,
        "hard": True,
        "remaining": 3,
        "percent": 70.0,
        "state": "ok",
        "resets_at": "2024-06-01T00:00:00Z",
        "ignored_events": 0,
        "claimed_events": 0,
    }


def test_a_meter_without_a_limit():
    PlanLimit.objects.all().delete()
    ran()
    [events, *_] = get("billing/usage", distinct_id="ada")["meters"]
    assert (events["limit"], events["percent"], events["remaining"]) == (None, None, None)
    assert events["used"] == 1


def test_a_lifetime_never_resets():
    ran()
    assert get("billing/usage", distinct_id="ada")["meters"][-1]["resets_at"] is None


def test_a_check_below_80_percent_is_allowed_without_a_prompt():
    limit(10)
    ran(7)
    answer = check()
    assert (answer["allowed"], answer["prompt"], answer["reservation"]) == (True, None, None)
    assert (answer["current_plan"], answer["suggested_plan"]) == ("free", None)


def test_p40_from_80_percent_a_check_has_a_prompt_with_the_upgrade(paying):
    limit(10)
    price("price_pro")
    ran(8)
    prompt = check()["prompt"]
    person_id = DistinctId.objects.get(pk="ada").person_id
    assert prompt == {
        "meter": "workflow_runs",
        "limit": 10,
        "used": 8.0,
        "reserved": 0.0,
        "resets_at": "2024-06-01T00:00:00Z",
        "current_plan": "free",
        "suggested_plan": "pro",
        "upgrade_url": f"https://checkout.example/price_pro/{person_id}",
        "state": "warning",
        "percent": 80.0,
        "title": "Workflow runs: 80 % of your Free plan used",
        "message": "8 of 10 workflow runs used. Resets on 1 June 2024."
        " The Pro plan includes 5,000.",
    }


def test_p40_a_denial_includes_the_upgrade(paying):
    limit(10)
    price("price_pro")
    ran(10)
    answer = check()
    assert (answer["allowed"], answer["state"]) == (False, "blocked")
    assert answer["suggested_plan"] == "pro"
    assert answer["upgrade_url"].startswith("https://checkout.example/price_pro/")
    assert answer["prompt"]["title"] == "Workflow runs: nothing left in your Free plan"


def test_a_reservation_can_be_released():
    ran()
    reservation = check(reserve=True, amount=5)["reservation"]
    assert reservation["expires_at"] == "2024-05-15T12:10:00Z"
    path = f"/api/billing/usage/reservations/{reservation['id']}"
    assert [staff_client().delete(path).status_code for _ in "12"] == [204, 404]
    assert check()["reserved"] == 0


@pytest.mark.parametrize("path", [UNKNOWN_ID, "x" * 36, f"{UNKNOWN_ID}/"])
def test_an_unknown_reservation_is_404(path):
    response = staff_client().delete(f"/api/billing/usage/reservations/{path}")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "key", [{"idempotency_key": "k"}, {"headers": {"Idempotency-Key": "k"}}], ids=["body", "header"]
)
def test_a_retry_with_the_same_key_reserves_once(key):
    ran()
    answers = [post(reserve=True, **key).json() for _ in "12"]
    assert answers[0]["reservation"] == answers[1]["reservation"]
    assert UsageReservation.objects.count() == 1


def test_a_key_for_another_amount_is_a_conflict():
    ran()
    check(reserve=True, idempotency_key="k")
    response = post(reserve=True, amount=2, idempotency_key="k")
    assert response.status_code == 409
    assert "idempotency_key" in response.json()["detail"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 0),
        ("amount", -1),
        ("amount", 1.5),
        ("amount", "1"),
        ("amount", True),
        ("amount", None),
        ("amount", 10**12),
        ("amount", [1]),
        ("meter", "eggs"),
        ("meter", ""),
        ("meter", 7.5),
        ("distinct_id", "bob"),
        ("distinct_id", "x" * 201),
        ("distinct_id", {"a": 1}),
        ("reserve", "perhaps"),
        ("idempotency_key", "k" * 256),
    ],
)
def test_invalid_input_is_refused_by_field(field, value):
    ran()
    response = post(**{field: value})
    assert response.status_code == 400, response.content
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_cannot_be_stored_is_refused(text):
    ran()
    response = post(distinct_id=text)
    assert response.status_code == 400
    assert "invalid JSON" in response.json()["detail"]


def test_an_invalid_key_in_the_header_is_refused_by_field():
    ran()
    response = post(reserve=True, headers={"Idempotency-Key": "k" * 256})
    assert [error["field"] for error in response.json()["errors"]] == ["idempotency_key"]


@pytest.mark.parametrize("distinct_id", ["bob", "", "a\0b"])
def test_usage_of_an_unknown_person_is_refused_by_field(distinct_id):
    errors = refused("billing/usage", distinct_id=distinct_id)["errors"]
    assert [error["field"] for error in errors] == ["distinct_id"]


@pytest.mark.parametrize("body", ["[]", "7", '"x"', "null", "{"])
def test_a_body_must_be_an_object(body):
    response = staff_client().post(CHECK, body, content_type="application/json")
    assert response.status_code == 400


def test_a_token_is_required(client):
    assert client.get("/api/billing/usage?distinct_id=ada").status_code == 401
    assert client.post(CHECK).status_code == 401
