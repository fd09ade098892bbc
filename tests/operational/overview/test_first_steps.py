import json
import shlex

import pytest

from analytics.capture import capture
from analytics.ingestion.inbox import Inbox
from analytics.models import InboxRequest, Person
from operational.overview.first_steps import first_steps
from tests import sdk
from tests.operational.kpi_data import NOW

pytestmark = pytest.mark.django_db


def snippet(name):
    return next(step.code for step in first_steps() if step.name == name)


def test_the_curl_line_stores_an_event_unchanged(client, settings):
    settings.PLUMBLINE_URL = "https://plumb.example.com"
    words = shlex.split(snippet("curl").replace("\\\n", " "))
    assert words[:2] == ["curl", "https://plumb.example.com/capture/"]
    body = words[words.index("-d") + 1]
    assert sdk.post("/capture/", body).status_code == 200
    Inbox().process_batch()
    assert Person.objects.get().signup_at is not None


def test_the_python_lines_are_python():
    compile(snippet("python"), "first steps", "exec")


@pytest.mark.parametrize("name", ["curl", "python", "javascript"])
def test_key_and_signup_event_are_filled_in(name, settings):
    settings.PLUMBLINE_SIGNUP_EVENT = "it's in"
    code = snippet(name)
    assert capture.ensure_default_project_key().token in code
    assert "it's in" in code.replace("'\"'\"'", "'")


def test_any_event_will_do_if_the_first_event_is_the_signup(settings):
    settings.PLUMBLINE_SIGNUP_EVENT = "$first_event"
    words = shlex.split(snippet("curl").replace("\\\n", " "))
    assert json.loads(words[-1])["event"] == "page_viewed"


def test_requests_waiting_for_ingest_are_reported(admin_client):
    InboxRequest.objects.create(
        project_key=capture.ensure_default_project_key(), received_at=NOW, body=b"{}"
    )
    markup = admin_client.get("/admin/operational/").content.decode()
    assert "1 request waits in the inbox." in markup


def test_rejected_events_are_reported(admin_client, client):
    key = capture.ensure_default_project_key().token
    body = {"api_key": key, "batch": [{"event": "signed_up"}]}
    sdk.post("/batch/", body)
    markup = admin_client.get("/admin/operational/").content.decode()
    assert "1 event was rejected." in markup
