"""Limits on the product's endpoints."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from rest_framework.test import APIClient

from analytics.models import DistinctId
from billing.limits.limited_paths import limited_paths
from billing.models import UsageMeter, UsageReservation
from tests.billing.limited_usage import NOW, limit, price, ran

PATH = "/api/product/run"
LIMITED = {"path": "^/api/product/run$", "meter": "workflow_runs", "person": "json:distinct_id"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def product(settings, time_machine):
    settings.ROOT_URLCONF = "tests.billing.product"
    settings.PLUMBLINE_LIMITED_PATHS = [LIMITED]
    time_machine.move_to(NOW, tick=False)


def client(**options):
    asking = APIClient(**options)
    asking.force_authenticate(User(username="product", is_staff=True))
    return asking


def run(distinct_id="ada", **body):
    return client(raise_request_exception=False).post(
        PATH, {"distinct_id": distinct_id} | body, format="json"
    )


def reserved():
    return UsageReservation.objects.count()


def test_below_80_percent_headers_say_where_the_person_stands():
    limit(10)
    ran(5)
    response = run()
    assert (response.status_code, response.json()) == (200, {"ran": True})
    usage = {name: value for name, value in response.headers.items() if "Usage" in name}
    assert usage == {
        "X-Usage-Meter": "workflow_runs",
        "X-Usage-Limit": "10",
        "X-Usage-Used": "6",
        "X-Usage-State": "ok",
        "X-Usage-Resets-At": "2024-06-01T00:00:00+00:00",
    }


def test_p40_from_80_percent_a_prompt_comes_with_a_way_to_upgrade(paying):
    limit(10)
    price("price_pro")
    ran(7)
    prompt = json.loads(run().headers["X-Usage-Prompt"])
    assert (prompt["state"], prompt["percent"]) == ("warning", 80.0)
    assert prompt["title"] == "Workflow runs: 80 % of your plan Free is used"
    assert prompt["upgrade_url"].startswith("https://checkout.example/price_pro/")


def test_p40_beyond_a_hard_limit_the_refusal_leads_to_the_upgrade(paying):
    limit(10)
    price("price_pro")
    ran(10)
    response = run()
    assert response.status_code == 402
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Payment Required",
        "status": 402,
        "detail": "10 of 10 workflow runs used. The count begins anew on 1 June 2024."
        " The plan Pro has 5,000.",
        "errors": [],
        "meter": "workflow_runs",
        "limit": 10,
        "used": 10,
        "resets_at": "2024-06-01T00:00:00Z",
        "current_plan": "free",
        "suggested_plan": "pro",
        "upgrade_url": (
            f"https://checkout.example/price_pro/{DistinctId.objects.get(pk='ada').person_id}"
        ),
    }


def test_p40_every_request_before_a_refusal_warned():
    limit(10)
    ran(event="seen")
    states = [run().headers.get("X-Usage-State") for _ in range(11)]
    assert states == ["ok"] * 7 + ["warning"] * 2 + ["blocked", None]


def test_a_soft_limit_and_grace_let_pass_and_say_so():
    ran(10)
    limit(10, hard=False)
    assert (run().status_code, run().headers["X-Usage-State"]) == (200, "reached")
    limit(10, grace=1)
    assert [run().status_code for _ in "12"] == [200, 402]


def test_without_a_limit_there_is_nothing_to_say():
    ran()
    UsageMeter.objects.get(slug="workflow_runs").limits.all().delete()
    assert not [name for name in run().headers if "Usage" in name]


def test_the_event_of_a_request_counts_once():
    limit(2)
    ran(event="seen")
    run()
    ran()  # its event
    assert [run().status_code, run().status_code] == [200, 402]


@pytest.mark.parametrize("failure", [{"status": 400}, {"status": 404}, {"crash": True}])
def test_what_fails_uses_nothing(failure):
    ran()
    assert run(**failure).status_code >= 400
    assert reserved() == 0


def test_other_methods_and_paths_are_not_limited():
    limit(0)
    ran()
    assert client().get(PATH).status_code == 200
    assert client().post("/api/product/other").status_code == 404


def test_who_may_not_ask_learns_and_uses_nothing():
    limit(0)
    ran()
    response = APIClient().post(PATH, {"distinct_id": "ada"}, format="json")
    assert (response.status_code, reserved()) == (401, 0)


def test_a_person_whose_first_events_are_on_their_way_may_pass():
    assert run("new").status_code == 200


@pytest.mark.parametrize("distinct_id", ["", None, 7, ["ada"]])
def test_a_request_that_names_nobody_is_told_so(distinct_id):
    response = run(distinct_id)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["distinct_id"]
    assert "JSON field distinct_id" in response.json()["detail"]


@pytest.mark.parametrize("body", ["{", "[]", "7", b"\xff", '{"distinct_id": "\\ud800"}'])
def test_a_body_that_cannot_be_read_names_nobody(body):
    response = client().post(PATH, body, content_type="application/json")
    assert response.status_code in {200, 400}
    assert reserved() == 0


@pytest.mark.parametrize(
    ("person", "request_"),
    [
        ("header:X-Distinct-Id", {"headers": {"X-Distinct-Id": "ada"}}),
        ("query:who", {"query_params": {"who": "ada"}}),
    ],
)
def test_the_person_may_be_named_elsewhere(settings, person, request_):
    settings.PLUMBLINE_LIMITED_PATHS = [LIMITED | {"person": person}]
    limit(0)
    ran()
    assert client().post(PATH, {}, format="json", **request_).status_code == 402


def test_a_meter_that_is_gone_limits_nothing_and_is_logged(settings, caplog):
    settings.PLUMBLINE_LIMITED_PATHS = [LIMITED | {"meter": "eggs"}]
    ran()
    assert run().status_code == 200
    assert "There is no meter 'eggs'" in caplog.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": "("}, "entry 0: path"),
        ({"path": None}, "entry 0: path"),
        ({"meter": ""}, "entry 0: meter"),
        ({"person": "cookie:x"}, "entry 0: person: 'cookie:x'"),
        ({"person": "json:"}, "entry 0: person"),
        ({"methods": "POST"}, "entry 0: methods"),
        ({"methods": []}, "entry 0: methods"),
        ({"limit": 3}, "no field 'limit'"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name(change, said):
    with pytest.raises(ImproperlyConfigured, match="PLUMBLINE_LIMITED_PATHS") as refused:
        limited_paths([LIMITED | change])
    assert said in str(refused.value)


def test_an_entry_that_is_no_object_is_refused():
    with pytest.raises(ImproperlyConfigured, match="entry 0: 'x' is no object"):
        limited_paths(["x"])
