"""S12: the examples that failed once, and their relatives, by name."""

import pytest

from billing.models import StripeEvent
from devstack.fake_stripe.events import signature
from tests.billing.stripe_shop import WEBHOOK
from tests.faults.test_fuzz_addresses import DEEP

pytestmark = pytest.mark.django_db

JSON = "application/json"
LONG = "9" * 5_000


@pytest.fixture(autouse=True)
def _answers(admin_client):
    admin_client.raise_request_exception = False


@pytest.mark.parametrize("path", ["/api/docs/", "/api/schema/"])
def test_s12_the_options_of_the_documentation_are_answered(admin_client, path):
    assert admin_client.options(path).status_code in {200, 405}


@pytest.mark.parametrize("body", DEEP)
@pytest.mark.parametrize(
    "path", ["usage/check", "stripe/checkout-session", "stripe/change-plan", "stripe/cancel"]
)
def test_s12_deep_json_is_refused_with_the_reason(admin_client, path, body):
    answer = admin_client.post(f"/api/billing/{path}", body, content_type=JSON)
    assert answer.status_code == 400
    assert "more than 100 levels" in answer.json()["detail"]


@pytest.mark.parametrize(
    "value", ["1e999", "NaN", r'"\ud800"', r'"a\u0000"', LONG, "[" * 999 + "]" * 999]
)
def test_s12_what_cannot_be_stored_is_refused(admin_client, value):
    body = f'{{"distinct_id": "ada", "meter": "runs", "amount": {value}}}'
    answer = admin_client.post("/api/billing/usage/check", body, content_type=JSON)
    assert (answer.status_code, answer.json()["title"]) == (400, "Bad Request")


@pytest.mark.parametrize(
    "value", ["1e999", "NaN", r'"\ud800"', r'"a\u0000"', LONG, "[" * 99_999 + "]" * 99_999]
)
def test_s12_b17_a_signed_webhook_that_cannot_be_stored_is_refused(client, settings, value):
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_test"]
    event = f'{{"id": "evt_1", "type": "a", "created": 1, "data": {{"object": {value}}}}}'
    headers = {"Stripe-Signature": signature(event.encode(), "whsec_test")}
    answer = client.post(WEBHOOK, event, content_type=JSON, headers=headers)
    assert answer.status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize(
    "row", ["_5B", "_00", "a%00b", "zzz", LONG, "1.5", "%D9%A3%D9%A3%D9%A3", "_", "-1"]
)
@pytest.mark.parametrize(
    "model",
    ["operational/kpigoal", "billing/cashentry", "knox/authtoken", "analytics/person"],
)
@pytest.mark.parametrize("view", ["history", "change", "delete"])
def test_s12_pages_of_odd_rows_do_not_fail(admin_client, model, row, view):
    answer = admin_client.get(f"/admin/{model}/{row}/{view}/")
    assert answer.status_code in {302, 400, 403, 404}


@pytest.mark.parametrize(
    "query", ["p=abc", "p=-1", f"p={LONG}", "o=99999", "q=%00", "excluded__exact=zzz", "rule=1.5"]
)
@pytest.mark.parametrize("model", ["analytics/person", "billing/stripeevent"])
def test_s12_lists_with_odd_pages_and_filters_do_not_fail(admin_client, model, query):
    answer = admin_client.get(f"/admin/{model}/?{query}")
    assert answer.status_code in {200, 302, 400}


@pytest.mark.parametrize("row", ["zzz", LONG, "1.5", ""])
def test_s12_an_action_on_odd_rows_is_refused(admin_client, row):
    form = {"action": "delete_selected", "_selected_action": row}
    answer = admin_client.post("/admin/billing/limitexception/", form)
    assert answer.status_code == 400


@pytest.mark.parametrize("channel", ["zzz", LONG, "", "-1"])
def test_s12_a_test_of_an_odd_channel_is_not_found(admin_client, channel):
    path = "/admin/operational/alerts/test/"
    assert admin_client.post(path, {"channel": channel}).status_code == 404
