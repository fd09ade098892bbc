"""A file is understood, or refused as a whole with a message that says why."""

import gzip
import json

import pytest
from django.core.management import CommandError

from analytics.models import Event, ImportRun, Person, RejectedEvent
from tests.analytics.ingestion.conftest import LINE, jsonl

pytestmark = pytest.mark.django_db

HEADER = "event,distinct_id,timestamp,note\n"
ROW = "used,ada,2024-05-01,a\n"
NAMES = "event,distinct_id,timestamp\n" + "".join(
    f"used,{name},2024-05-01\n" for name in ("José", "Josè", "Josê")
)


def distinct_ids():
    return set(Event.objects.values_list("distinct_id", flat=True))


def refused(import_events, content, *options, name="events.csv"):
    """Return the message with which a file is refused; nothing of it is stored."""
    with pytest.raises(CommandError) as error:
        import_events(content, *options, name=name)
    assert not Event.objects.exists()
    assert not RejectedEvent.objects.exists()
    assert not ImportRun.objects.exists()
    return str(error.value)


def rejected_lines(import_events, content, *options, name="events.csv"):
    """Return line and detail of the rows that are rejected; the exit status says so."""
    with pytest.raises(SystemExit) as exit_:
        import_events(content, *options, name=name)
    assert exit_.value.code == 2
    return list(RejectedEvent.objects.order_by("line").values_list("line", "detail"))


def test_a03_a_file_in_another_encoding_is_refused_with_the_line(import_events):
    message = refused(import_events, NAMES.encode("windows-1252"))
    assert "encoding: line 2 is not UTF-8 (byte 0xe9 after “used,Jos”)" in message
    assert "--encoding windows-1252" in message


def test_a03_with_its_encoding_every_name_is_another_person(import_events):
    import_events(NAMES.encode("windows-1252"), "--encoding", "windows-1252", name="events.csv")
    assert distinct_ids() == {"José", "Josè", "Josê"}
    assert Person.objects.count() == 3


def test_a03_json_lines_in_another_encoding_are_refused_too(import_events):
    content = jsonl({}) + "\n" + json.dumps(LINE | {"distinct_id": "José"}, ensure_ascii=False)
    message = refused(import_events, content.encode("latin-1"), name="events.jsonl")
    assert "encoding: line 2 is not UTF-8" in message


def test_a03_a_wrong_byte_far_down_in_a_gzip_is_found_before_anything_is_stored(import_events):
    content = gzip.compress(HEADER.encode() + ROW.encode() * 50_000 + b"used,\xff,2024-05-01,\n")
    assert "line 50002" in refused(import_events, content)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
def test_a14_marked_files_are_read(import_events, encoding):
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    import_events((mark + NAMES).encode(encoding), name="events.csv")
    assert distinct_ids() == {"José", "Josè", "Josê"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("content", [jsonl({}), f"[{jsonl({})}]"], ids=["lines", "array"])
def test_a14_json_with_a_byte_order_mark_is_read(import_events, encoding, content):
    assert "1 stored" in import_events(content.encode(encoding))


def test_a14_files_joined_with_their_marks_are_read(import_events):
    parts = [jsonl({"distinct_id": name}).encode("utf-8-sig") for name in ("ada", "ben")]
    assert "2 stored" in import_events(b"\n".join(parts))


def test_a14_utf_16_without_a_mark_is_refused_with_its_name(import_events):
    content = NAMES.encode("utf-16-le")
    assert "--encoding utf-16-le" in refused(import_events, content)
    import_events(content, "--encoding", "utf-16-le", name="events.csv")
    assert distinct_ids() == {"José", "Josè", "Josê"}


def test_a14_an_encoding_that_the_mark_contradicts_is_refused(import_events):
    message = refused(import_events, NAMES.encode("utf-8-sig"), "--encoding", "windows-1252")
    assert "marked as utf-8, not windows-1252" in message


@pytest.mark.parametrize("encoding", ["klingon", "base64"])
def test_a14_an_unknown_encoding_is_refused(import_events, encoding):
    assert "not a known encoding" in refused(import_events, NAMES, "--encoding", encoding)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a14_the_delimiter_is_the_one_that_fits_the_header(import_events, delimiter):
    import_events((HEADER + ROW).replace(",", delimiter), name="events.csv")
    assert Event.objects.get().properties == {"note": "a"}


def test_a14_any_other_delimiter_is_named(import_events):
    content = (HEADER + ROW).replace(",", "^")
    assert "header: no column is named event" in refused(import_events, content)
    import_events(content, "--delimiter", "^", name="events.csv")
    assert Event.objects.count() == 1


@pytest.mark.parametrize("delimiter", ["", "::", '"', "\n"])
def test_a14_a_delimiter_is_one_character(import_events, delimiter):
    assert "must be one character" in refused(import_events, HEADER, "--delimiter", delimiter)


def test_a14_names_in_the_header_match_in_any_case_and_without_blanks(import_events):
    import_events("Event; distinct_id ;TIMESTAMP\nused;ada;2024-05-01\n", name="EVENTS.CSV")
    assert distinct_ids() == {"ada"}


def test_a14_a_header_that_lacks_a_column_is_refused_with_what_was_found(import_events):
    message = refused(import_events, "when;who;what\n2024-05-01;ada;used\n")
    assert "no column is named event (--event-column names another)" in message
    assert "Found, separated by ';': when, who, what" in message


def test_a14_a_column_that_is_named_but_missing_is_refused(import_events):
    message = refused(import_events, HEADER + ROW, "--uuid-column", "id")
    assert "no column is named id (--uuid-column names another)" in message


def test_a14_json_lines_with_other_fields_are_refused_once_with_the_fields(import_events):
    lines = '{"name": "used", "user": "ada", "at": 1714557600}\n' * 300
    message = refused(import_events, lines, name="events.jsonl")
    assert "line 1: event: missing; none of the first 100 events can be read" in message
    assert "Found: name, user, at" in message


def test_a14_an_object_over_several_lines_is_refused(import_events):
    message = refused(import_events, json.dumps(LINE, indent=2), name="events.json")
    assert "one JSON object per line; jq -c ." in message


def test_a14_times_of_another_notation_are_refused_once(import_events):
    message = refused(import_events, HEADER + "used,ada,5/1/2024,\n" * 9)
    assert "line 2: timestamp: '5/1/2024'" in message


def test_a14_a_json_array_is_read_and_its_bad_events_are_numbered(import_events):
    content = json.dumps([LINE, {"event": "used"}, 7, LINE | {"distinct_id": "ben"}])
    lines = rejected_lines(import_events, content, name="events.json")
    assert [line for line, _ in lines] == [2, 3]
    assert distinct_ids() == {"ada", "ben"}


def test_a14_a_json_array_that_is_cut_off_is_refused_with_the_line(import_events):
    content = json.dumps([LINE, LINE], indent=1)[:-9]
    assert "line 10: the JSON array is not valid" in refused(import_events, content)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04", "zip"),
        (b"PAR1", "Parquet"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"BZh", "bzip2"),
    ],
)
def test_a14_what_is_not_text_is_refused_with_its_name(import_events, start, kind):
    assert kind in refused(import_events, start + bytes(99), name="events.json.gz")


def test_a14_properties_may_be_a_json_text(import_events):
    import_events(jsonl({"properties": json.dumps({"plan": "pro"}), "$set": '{"a": 1}'}))
    assert Event.objects.get().properties == {"plan": "pro", "$set": {"a": 1}}
    assert Person.objects.get().properties == {"a": 1}


def test_a14_a_json_text_that_is_broken_costs_its_line(import_events):
    content = jsonl({}, {"properties": "{plan"})
    ((line, detail),) = rejected_lines(import_events, content, name="events.jsonl")
    assert (line, detail.partition(":")[0]) == (2, "properties")


def test_a04_a_quotation_mark_that_is_not_closed_costs_its_line(import_events):
    rows = 'used,ada,2024-05-01,"a\n' + "".join(
        f"used,p{number},2024-05-01,b\n" for number in range(3)
    )
    ((line, detail),) = rejected_lines(import_events, HEADER + ROW + rows)
    assert (line, "not closed" in detail) == (3, True)
    assert distinct_ids() == {"ada", "p0", "p1", "p2"}


def test_a04_rows_between_two_stray_quotation_marks_are_kept(import_events):
    rows = 'used,"ada,2024-05-01,a\n' + ROW.replace("ada", "ben") + 'used,"cyd,2024-05-01,a\n'
    lines = rejected_lines(import_events, HEADER + rows + ROW.replace("ada", "dan"))
    assert [line for line, _ in lines] == [2, 4]
    assert distinct_ids() == {"ben", "dan"}


@pytest.mark.parametrize("row", ["used,ada,2024-05-01,a,b\n", "used,ada,2024-05-01\n"])
def test_a04_a_row_with_more_or_fewer_cells_than_columns_is_rejected(import_events, row):
    ((line, detail),) = rejected_lines(import_events, HEADER + ROW + row)
    assert (line, detail) == (3, f"row: {row.count(',') + 1} cells, but the header has 4")
    assert bytes(RejectedEvent.objects.get().payload) == row.strip().encode()


def test_a04_a_cell_without_a_name_in_the_header_is_rejected(import_events):
    content = "event,distinct_id,timestamp,\nused,ada,2024-05-01,\nused,ben,2024-05-01,lost\n"
    lines = rejected_lines(import_events, content)
    assert lines == [(3, "row: cell 4 has no name in the header")]
    assert distinct_ids() == {"ada"}


@pytest.mark.parametrize("names", ["note,note", "note, note "])
def test_a04_two_columns_of_one_name_are_refused(import_events, names):
    content = f"event,distinct_id,timestamp,{names}\nused,ada,2024-05-01,a,b\n"
    assert "header: two columns are named note" in refused(import_events, content)


def test_a05_fields_without_a_role_become_properties_and_set_is_applied(import_events):
    line = {"name": "used", "who": "ada", "timestamp": "2024-05-01", "plan": "pro"}
    content = json.dumps(line | {"$set": {"city": "Kyiv"}, "$set_once": {"seats": 3}})
    import_events(content, "--event-column", "name", "--distinct-id-column", "who")
    assert Event.objects.get().properties["plan"] == "pro"
    assert Person.objects.get().properties == {"city": "Kyiv", "seats": 3}


def test_a05_so_do_other_fields_of_a_file_with_the_usual_names(import_events):
    import_events(jsonl({"plan": "pro", "properties": {"seats": 3}}))
    assert Event.objects.get().properties == {"plan": "pro", "seats": 3}


def test_a05_a_csv_column_named_set_changes_the_person(import_events):
    content = 'event,distinct_id,timestamp,$set\nused,ada,2024-05-01,"{""plan"": ""pro""}"\n'
    import_events(content, name="events.csv")
    assert Person.objects.get().properties == {"plan": "pro"}


def test_a07_the_same_uuid_at_another_time_is_a_conflict_with_both_times(import_events):
    event = {"uuid": "0190163d-8694-739b-aea5-966c26f8ad91"}
    import_events(jsonl(event))
    content = jsonl(event | {"timestamp": "2024-05-01T11:30:00Z"}, {})
    ((line, detail),) = rejected_lines(import_events, content, name="corrected.jsonl")
    assert (line, RejectedEvent.objects.get().reason) == (1, "uuid_reused")
    assert "with the time 2024-05-01T10:00:00+00:00, not 2024-05-01T11:30:00+00:00" in detail


def test_a07_so_it_is_within_a_file(import_events):
    event = {"uuid": "0190163d-8694-739b-aea5-966c26f8ad91"}
    content = jsonl(event, event, event | {"timestamp": "2024-05-01T11:30:00Z"})
    ((line, detail),) = rejected_lines(import_events, content, name="events.jsonl")
    assert (line, "not 2024-05-01T11:30" in detail) == (3, True)
    assert (ImportRun.objects.get().stored, ImportRun.objects.get().duplicates) == (1, 1)


def test_a11_unix_times_in_a_csv_file_are_read(import_events):
    times = ["1714557600", "1714557600000", "1714557600.5"]
    import_events(HEADER + "".join(f"used,ada,{time},\n" for time in times), name="events.csv")
    seconds = Event.objects.values_list("timestamp", flat=True)
    assert sorted(time.timestamp() for time in seconds) == [1714557600, 1714557600, 1714557600.5]


def test_a15_a_long_cell_is_read(import_events):
    import_events(f"{HEADER}used,ada,2024-05-01,{'x' * 1_000_000}\n", name="events.csv")
    assert len(Event.objects.get().properties["note"]) == 1_000_000


def test_a15_a_cell_beyond_what_capture_takes_costs_its_row(import_events):
    content = f"{HEADER}{ROW}used,ben,2024-05-01,{'x' * 2_200_000}\n"
    ((line, _),) = rejected_lines(import_events, content)
    assert (line, distinct_ids()) == (3, {"ada"})


def test_a16_events_in_the_future_and_long_ago_are_summed_up(import_events):
    times = ["2099-01-01", "2099-02-01", "2100-01-01", "1990-06-01", "2024-05-01"]
    output = import_events(jsonl(*({"timestamp": time} for time in times)))
    assert "from 1990-06-01 to 2100-01-01 (UTC)" in output
    assert "warning: 3 events lie in the future" in output
    assert "warning: 1 event lies before 2000" in output
