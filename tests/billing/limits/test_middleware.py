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
    api = APIClient(**options)
    api.force_authenticate(User(username="product", is_staff=True, is_superuser=True))
    return api


def run(distinct_id="ada", **body):
    return client(raise_request_exception=False).post(
        PATH, {"distinct_id": distinct_id} | body, format="json"
    )


def reserved():
    return UsageReservation.objects.count()


def test_below_80_percent_headers_report_the_usage():
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


def test_p40_from_80_percent_a_prompt_has_an_upgrade_link(paying):
    limit(10)
    price("price_pro")
    ran(7)
    prompt = json.loads(run().headers["X-Usage-Prompt"])
    assert (prompt["state"], prompt["percent"]) == ("warning", 80.0)
    assert prompt["title"] == "Workflow runs: 80 % of your Free plan used"
    assert prompt["upgrade_url"].startswith("https://checkout.example/price_pro/")


def test_p40_over_a_hard_limit_the_refusal_links_to_the_upgrade(paying):
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
        "detail": "10 of 10 workflow runs used. Resets on 1 June 2024."
        " The Pro plan includes 5,000.",
        "errors": [],
        "meter": "workflow_runs",
        "limit": 10,
        "used": 10,
        "reserved": 0,
        "resets_at": "2024-06-01T00:00:00Z",
        "current_plan": "free",
        "suggested_plan": "pro",
        "upgrade_url": (
            f"https://checkout.example/price_pro/{DistinctId.objects.get(pk='ada').person_id}"
        ),
    }


def test_p40_a_warning_precedes_every_refusal():
    limit(10)
    ran(event="seen")
    states = [run().headers.get("X-Usage-State") for _ in range(11)]
    assert states == ["ok"] * 7 + ["warning"] * 2 + ["blocked", None]


def test_a_soft_limit_and_grace_allow_the_request_and_say_so():
    ran(10)
    limit(10, hard=False)
    assert (run().status_code, run().headers["X-Usage-State"]) == (200, "reached")
    limit(10, grace=1)
    assert [run().status_code for _ in "12"] == [200, 402]


def test_without_a_limit_there_are_no_headers():
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
def test_a_failed_request_uses_nothing(failure):
    ran()
    assert run(**failure).status_code >= 400
    assert reserved() == 0


def test_other_methods_and_paths_are_not_limited():
    limit(0)
    ran()
    assert client().get(PATH).status_code == 200
    assert client().post("/api/product/other").status_code == 404


@pytest.mark.parametrize(
    "path", ["^/api/product/run$", "^/api/product/run/", "^/api/product/run/$"]
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_b15_a_path_is_limited_with_and_without_its_last_slash(settings, path, slash):
    settings.PLUMBLINE_LIMITED_PATHS = [LIMITED | {"path": path}]
    limit(0)
    ran()
    response = client().post(PATH + slash, {"distinct_id": "ada"}, format="json")
    assert response.status_code == 402


def test_b15_a_slash_of_a_pattern_reaches_no_longer_path(settings):
    settings.PLUMBLINE_LIMITED_PATHS = [LIMITED | {"path": "^/api/product/run/$"}]
    limit(0)
    ran()
    for path in ("/api/product/runs", "/api/product/run/x", "/api/product"):
        assert client().post(path, {"distinct_id": "ada"}, format="json").status_code == 404


def test_b15_head_is_limited_like_the_get_that_it_runs(settings):
    rule = {"methods": ["GET"], "person": "query:who"}
    settings.PLUMBLINE_LIMITED_PATHS = [LIMITED | rule]
    limit(0)
    ran()
    responses = [getattr(client(), name)(f"{PATH}?who=ada") for name in ("get", "head")]
    assert [response.status_code for response in responses] == [402, 402]


def test_b26_a_refusal_says_what_is_used_and_what_is_reserved():
    limit(10)
    ran(2)
    for _ in range(8):
        run()
    body = run().json()
    assert body["detail"].startswith("2 of 10 workflow runs used, 8 reserved. Resets on")
    assert (body["used"], body["reserved"]) == (2, 8)


def test_b26_a_prompt_says_what_is_reserved_too():
    limit(10)
    ran(event="seen")
    prompts = [json.loads(run().headers.get("X-Usage-Prompt", "{}")) for _ in range(8)]
    assert prompts[-1]["message"].startswith("0 of 10 workflow runs used, 8 reserved.")
    assert prompts[-1]["reserved"] == 8


def test_an_unauthenticated_request_sees_and_uses_nothing():
    limit(0)
    ran()
    response = APIClient().post(PATH, {"distinct_id": "ada"}, format="json")
    assert (response.status_code, reserved()) == (401, 0)


def test_a_person_whose_first_events_are_in_the_inbox_may_pass():
    assert run("new").status_code == 200


@pytest.mark.parametrize("distinct_id", ["", None, 7, ["ada"]])
def test_a_request_without_a_person_is_refused(distinct_id):
    response = run(distinct_id)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["distinct_id"]
    assert "JSON field distinct_id" in response.json()["detail"]


@pytest.mark.parametrize("body", ["{", "[]", "7", b"\xff", '{"distinct_id": "\\ud800"}'])
def test_an_unreadable_body_reserves_nothing(body):
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


def test_a_deleted_meter_limits_nothing_and_is_logged(settings, caplog):
    settings.PLUMBLINE_LIMITED_PATHS = [LIMITED | {"meter": "eggs"}]
    ran()
    assert run().status_code == 200
    assert "There is no meter 'eggs'" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "("}, "entry 0: path"),
        ({"path": None}, "entry 0: path"),
        ({"meter": ""}, "entry 0: meter"),
        ({"person": "cookie:x"}, "entry 0: person: 'cookie:x'"),
        ({"person": "json:"}, "entry 0: person"),
        ({"methods": "POST"}, "entry 0: methods"),
        ({"methods": []}, "entry 0: methods"),
        ({"methods": ["post"]}, "entry 0: methods"),
        ({"limit": 3}, "unknown field 'limit'"),
    ],
)
def test_an_invalid_setting_is_refused_by_field(change, message):
    with pytest.raises(ImproperlyConfigured, match="PLUMBLINE_LIMITED_PATHS") as refused:
        limited_paths([LIMITED | change])
    assert message in str(refused.value)


def test_an_entry_must_be_an_object():
    with pytest.raises(ImproperlyConfigured, match="entry 0: 'x' is not an object"):
        limited_paths(["x"])


def test_s01_a_request_to_a_limited_path_proves_the_person_it_names():
    limit(10)
    ran(5)
    run()
    assert DistinctId.objects.get(pk="ada").proved
