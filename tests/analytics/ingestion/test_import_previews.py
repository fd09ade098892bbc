"""A dry run shows what an import would store; files of the backend are proved."""

import json

import pytest
from django.core.management import CommandError

from analytics.ingestion.retrying import retry
from analytics.models import DistinctId, Event, ImportRun, Person, RejectedEvent
from tests.analytics.ingestion.conftest import LINE, jsonl

pytestmark = pytest.mark.django_db

SET = {"$set": {"plan": "pro"}}


def test_a_dry_run_stores_nothing(import_events):
    output = import_events(jsonl({}, {"event": "paid"}), "--dry-run")
    assert "2 events would be stored" in output
    assert not any(model.objects.exists() for model in (Event, ImportRun, Person, RejectedEvent))


def test_a_dry_run_shows_the_first_events_as_they_would_be_stored(import_events):
    rows = "Event;distinct_id;timestamp;plan\nused; ada ;1714557600;pro\n"
    output = import_events(rows.encode("utf-16"), "--dry-run", name="events.csv")
    assert "CSV, UTF-16-LE, separated by ';'" in output
    event = json.loads(output.splitlines()[-1])
    assert (event["distinct_id"], event["timestamp"]) == ("ada", "2024-05-01T10:00:00Z")
    assert event["properties"] == {"plan": "pro"}


def test_a_dry_run_names_what_is_not_stored_and_what_is_odd(import_events, capsys):
    future = {"timestamp": "2099-01-01", "plan": "pro", "token": "phc_x"}
    with pytest.raises(SystemExit):
        import_events(f"{jsonl({}, future)}\nnot json", "--dry-run")
    output = capsys.readouterr().out
    assert "columns: event (2), distinct_id (2), timestamp (2), plan (1), token (1)" in output
    assert "properties: plan (1)" in output
    assert "not stored: token" in output
    assert "from 2024-05-01 to 2099-01-01 (UTC)" in output
    assert "warning: 1 event lies in the future" in output
    assert "line 3: JSON is malformed" in output


def test_a_dry_run_of_a_file_that_is_not_understood_says_why(import_events):
    with pytest.raises(CommandError, match="no column is named event"):
        import_events("when,who\n", "--dry-run", name="events.csv")


def test_an_imported_file_is_a_claim(import_events):
    import_events(jsonl(SET))
    assert not Event.objects.get().proved
    assert not DistinctId.objects.get().proved
    assert Person.objects.get().proved == {}


def test_a_file_that_is_declared_as_the_backends_is_proved(import_events):
    import_events(jsonl(SET), "--proved")
    assert Event.objects.get().proved
    assert DistinctId.objects.get().proved
    assert Person.objects.get().proved == {"plan": "pro"}


def test_a_proved_file_is_repeatable(import_events):
    import_events(jsonl({}, {"uuid": "0190163d-8694-739b-aea5-966c26f8ad91"}), "--proved")
    content = jsonl({"uuid": "0190163d-8694-739b-aea5-966c26f8ad91"}, {})
    assert "0 stored, 2 already stored" in import_events(content, "--proved")


@pytest.mark.parametrize("first", [[], ["--proved"]])
def test_a_file_cannot_be_imported_as_claims_and_as_proved(import_events, first):
    import_events(jsonl({}), *first)
    with pytest.raises(CommandError, match="its events would count twice"):
        import_events(jsonl({}), *({"--proved"} - set(first)))
    assert Event.objects.count() == 1


def test_a_proved_file_takes_ids_exactly(import_events):
    with pytest.raises(SystemExit):
        import_events(jsonl({}, {"distinct_id": " eve"}), "--proved")
    assert "distinct_id: blank at an end" in RejectedEvent.objects.get().detail


def test_a_rejected_line_of_a_proved_file_is_proved_once_it_is_stored(import_events):
    with pytest.raises(SystemExit):
        import_events(f"{jsonl({})}\n{json.dumps(LINE | {'timestamp': 'never'})}", "--proved")
    RejectedEvent.objects.update(payload=json.dumps(LINE | {"event": "paid"}).encode())
    assert retry(RejectedEvent.objects.all()).stored == 1
    assert Event.objects.get(event="paid").proved
