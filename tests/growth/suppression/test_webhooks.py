"""Webhooks of real providers' shapes, through Anymail's own views."""

import base64
import json

import pytest
from django.test import Client

from growth.models import MailEvent
from tests.growth.suppression.mails import ADA, active

pytestmark = [
    pytest.mark.django_db,
    # Anymail still reads SendGrid's, and says that it tests them no more.
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning"),
]
SECRET = "plumbline:a-long-secret"
POSTMARK = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "ID": 42,
    "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
    "Details": "smtp;550 5.1.1 The email account does not exist",
    "Email": ADA,
    "BouncedAt": "2024-05-06T12:00:00Z",
}
COMPLAINT = POSTMARK | {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "ID": 43}


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


def post(provider, body, *, secret=SECRET, content_type="application/json"):
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    return client.post(
        f"/mail/webhooks/{provider}/", text, content_type=content_type, headers=headers
    )


def sendgrid(event, **more):
    return {"email": ADA, "timestamp": 1714996800, "event": event} | more


def test_a_bounce_of_a_provider_suppresses_its_address():
    assert post("postmark", POSTMARK).status_code == 200
    assert active() == [(ADA, None, "hard_bounce")]
    event = MailEvent.objects.get()
    assert (event.message_id, event.provider) == (POSTMARK["MessageID"], "Postmark")
    assert "does not exist" in event.response


def test_p44_a_complaint_of_a_provider_suppresses_its_address():
    post("postmark", COMPLAINT)
    assert active() == [(ADA, None, "complaint")]


def test_p60_a_batch_that_is_sent_again_with_other_ids_counts_once():
    events = [sendgrid("delivered", sg_message_id="m.1"), sendgrid("open", sg_message_id="m.1")]
    first = [event | {"sg_event_id": f"a{n}"} for n, event in enumerate(events)]
    again = [event | {"sg_event_id": f"b{n}"} for n, event in enumerate(reversed(events))]
    assert [post("sendgrid", batch).status_code for batch in (first, again)] == [200, 200]
    assert sorted(MailEvent.objects.values_list("kind", flat=True)) == ["delivered", "opened"]


def test_p60_an_event_without_a_message_id_is_not_lost():
    body = [sendgrid("bounce", type="bounce", status="5.1.1", reason="550 5.1.1 unknown")]
    post("sendgrid", body)
    post("sendgrid", body)
    assert MailEvent.objects.count() == 1
    assert active() == [(ADA, None, "hard_bounce")]


def test_a_click_is_stored_without_the_query_of_its_link():
    url = "https://shop.example/a?email=ada%40example.com#top"
    post("sendgrid", [sendgrid("click", url=url, useragent="python-requests/2")])
    event = MailEvent.objects.get()
    assert (event.link, event.user_agent) == ("https://shop.example/a", "python-requests/2")


@pytest.mark.parametrize("secret", ["plumbline:wrong", "", "plumbline", SECRET + "x"])
@pytest.mark.parametrize("body", [POSTMARK, COMPLAINT, "not JSON"])
def test_a_forged_event_changes_nothing(secret, body):
    assert post("postmark", body, secret=secret).status_code == 400
    assert active() == []
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize("value", [{}, {"WEBHOOK_SECRET": ""}])
def test_without_a_secret_there_is_no_webhook(settings, value):
    settings.ANYMAIL = value
    assert post("postmark", POSTMARK, secret="").status_code == 404
    assert active() == []


@pytest.mark.parametrize("provider", ["unknown", "postmark_inbound", "mailgun"])
def test_a_provider_that_does_not_exist_or_lacks_its_key_has_no_webhook(provider):
    assert post(provider, POSTMARK).status_code == 404


def test_a_get_changes_nothing():
    assert Client().get("/mail/webhooks/postmark/").status_code == 405


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", POSTMARK | {"BouncedAt": "0001-01-01T00:00:00+14:00"}],
)
def test_s12_a_body_of_another_shape_is_refused_and_changes_nothing(body):
    assert post("postmark", body).status_code == 400
    assert not MailEvent.objects.exists()


@pytest.mark.parametrize("timestamp", [1e300, "x", None, [], -1e300])
def test_s12_a_time_that_is_not_valid_is_refused(timestamp):
    assert post("sendgrid", [sendgrid("bounce") | {"timestamp": timestamp}]).status_code == 400
    assert not MailEvent.objects.exists()
