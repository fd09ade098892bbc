"""Files of events: formats, mapping, bad lines, repetition, resumption."""

import gzip
import io
import json
import sys

import pytest
from django.core.management import CommandError, call_command

from analytics.ingestion import importing, ingest
from analytics.models import Event, ImportRun, Person, RejectedEvent
from tests.analytics.ingestion.conftest import jsonl

pytestmark = pytest.mark.django_db


def test_json_lines_are_imported(import_events):
    assert "2 events read, 2 stored" in import_events(jsonl({}, {"event": "signed_up"}))


def test_gzip_is_recognized_by_its_content(import_events):
    assert "1 stored" in import_events(gzip.compress(jsonl({}).encode()), name="events")


def test_importing_twice_changes_nothing(import_events):
    content = jsonl({}, {"event": "signed_up"}, {"uuid": "not-a-uuid"})
    import_events(content)
    assert "0 stored, 3 already stored" in import_events(content)
    assert (Event.objects.count(), ImportRun.objects.count()) == (3, 1)


def test_the_same_line_in_another_file_is_the_same_event(import_events):
    import_events(jsonl({}, {"event": "signed_up"}))
    import_events(jsonl({"event": "signed_up"}, {}), name="shuffled.jsonl")
    assert Event.objects.count() == 2


def test_csv_columns_that_have_no_role_become_properties(import_events):
    roles = ["--timestamp-column", "when", "--distinct-id-column", "who", "--event", "visited"]
    import_events("when,who,plan\n2024-05-01 10:00,ada,pro\n", *roles, name="visits.csv")
    event = Event.objects.get()
    assert (event.event, event.distinct_id, event.properties) == ("visited", "ada", {"plan": "pro"})


def test_a_csv_cell_may_hold_several_lines(import_events):
    rows = 'event,distinct_id,timestamp,note\nused,ada,2024-05-01,"a\nb"\n,ada,2024-05-01,c\n'
    with pytest.raises(SystemExit):
        import_events(rows, name="events.csv")
    assert Event.objects.get().properties == {"note": "a\nb"}
    assert RejectedEvent.objects.get().line == 4


def test_bad_lines_are_kept_with_line_number_and_reason(import_events, capsys):
    content = f"{jsonl({})}\nnot json\n\n{json.dumps({'event': 'x', 'distinct_id': 'y'})}"
    with pytest.raises(SystemExit) as exit_:
        import_events(content)
    assert exit_.value.code == 2
    rejected = RejectedEvent.objects.values_list("line", "reason")
    assert sorted(rejected) == [(2, "malformed"), (4, "missing_field")]
    assert "line 4: timestamp: missing" in capsys.readouterr().out


def test_importing_bad_lines_twice_keeps_them_once(import_events):
    for _ in range(2):
        with pytest.raises(SystemExit):
            import_events(f"{jsonl({})}\nnot json")
    assert RejectedEvent.objects.count() == 1


def test_an_interrupted_import_resumes_where_it_stopped(import_events, monkeypatch):
    monkeypatch.setattr(importing, "LINES_PER_TRANSACTION", 2)
    content = jsonl(*({"distinct_id": f"p{number}"} for number in range(7)))
    store, calls = ingest.store, []

    def fails_at_the_third(records, **options):
        calls.append([record.distinct_id for record in records])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return store(records, **options)

    monkeypatch.setattr(ingest, "store", fails_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        import_events(content)
    assert "7 events read, 7 stored" in import_events(content)
    assert calls[2] == calls[3] == ["p4", "p5"]


def test_standard_input_is_read_for_a_dash(monkeypatch):
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(jsonl({}).encode())))
    monkeypatch.setattr(sys, "stdin", stdin)
    call_command("import_events", "-")
    assert Event.objects.count() == 1


def test_a_missing_file_is_an_error_that_names_it():
    with pytest.raises(CommandError, match=r"nowhere\.jsonl: no such file"):
        call_command("import_events", "nowhere.jsonl")


def test_a_broken_gzip_is_refused_as_a_whole(import_events):
    content = gzip.compress(jsonl(*({"distinct_id": f"p{number}"} for number in range(9))).encode())
    with pytest.raises(CommandError, match=r"events\.jsonl: gzip: cut off or damaged"):
        import_events(content[:-4])
    assert not Event.objects.exists()


def test_the_demo_uses_the_normal_import_and_is_repeatable(capsys):
    call_command("demo", "--persons", "40", "--days", "30")
    assert Person.objects.filter(is_demo=True).count() > 30
    with pytest.raises(CommandError, match="--clear"):
        call_command("demo")
    call_command("demo", "--clear")
    assert not Event.objects.exists()
