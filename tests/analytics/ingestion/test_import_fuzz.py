"""Whatever is done to a file: each of its rows is stored or refused with its line, or all are.

Every event of the original file names itself, so that it can be looked for in what was stored and
in what was kept as rejected.
"""

import csv
import io
import json
import random
import re
from collections import Counter

import pytest

from analytics.calculations.imports.errors import NotUnderstood
from analytics.calculations.imports.products import FileFormat
from analytics.ingestion.files import ReadingOptions, understand
from analytics.ingestion.importing import import_file
from analytics.ingestion.previewing import preview
from analytics.models import Event, EventUuid, ImportRun, RejectedEvent
from tests.events import NOON

pytestmark = pytest.mark.django_db

EVENTS = 12
REASON = re.compile(r"(encoding|header|format|gzip|line \d+)\b")
MARKER = re.compile(r"~\d+~")
TEXTS = ["a", "José", "naïve", "名前", 'say "hi"', "a,b;c\td", "two\nlines", "", "😀", "it's"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1252", "latin-1"]
STRAY = [
    '"',
    '""',
    ",",
    ";",
    "\n",
    "\r\n",
    "\t",
    "{",
    "}",
    "[",
    "]",
    "\\",
    "\0",
    "é",
    " ",
    "\ufeff",
]


def rows(rng):
    return [
        {
            "event": "used",
            "distinct_id": f"~{number}~",
            "timestamp": "2024-05-01T10:00:00Z",
            "note": rng.choice(TEXTS),
            "end": f"~{number}~",
        }
        for number in range(rng.randint(3, EVENTS))
    ]


def as_csv(rng):
    file = io.StringIO()
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    ends = rng.choice(["\n", "\r\n"])
    events = rows(rng)
    delimiter = rng.choice(",;\t|")
    writer = csv.DictWriter(
        file, list(events[0]), delimiter=delimiter, quoting=quoting, lineterminator=ends
    )
    writer.writeheader()
    writer.writerows(events)
    return file.getvalue()


def as_json_lines(rng):
    is_ascii = rng.random() < 0.5
    return "\n".join(json.dumps(event, ensure_ascii=is_ascii) for event in rows(rng))


def as_array(rng):
    return json.dumps(rows(rng), indent=rng.choice([None, 1]), ensure_ascii=False)


def mutated(text, rng):
    """Return a text with a few stray characters, lost or repeated parts, or a cut."""
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.randint(1, 12))
        text = rng.choice(
            [
                text[:start] + rng.choice(STRAY) + text[start:],
                text[:start] + rng.choice(STRAY) + text[end:],
                text[:start] + text[end:],
                text[:start] + text[start:end] + text[start:],
                text[:start],
                text.replace(*rng.sample(STRAY, 2), rng.randint(1, 3)),
            ]
        )
    return text


def encoded(text, rng):
    """Return bytes, in an encoding or a mix of two, perhaps cut within a character."""
    first, second = rng.choices(ENCODINGS, [40, 4, 2, 1, 1, 2, 1], k=2)
    half = rng.choice([len(text)] * 9 + [rng.randrange(len(text) + 1)])
    content = text[:half].encode(first, "replace") + text[half:].encode(second, "replace")
    return content[: rng.choice([None] * 9 + [-1])]


def markers(texts):
    return {marker for text in texts for marker in MARKER.findall(text)}


def kept():
    """Return the markers in what was stored and in what was rejected."""
    events = Event.objects.values_list("distinct_id", "properties")
    payloads = RejectedEvent.objects.values_list("payload", flat=True)
    return markers(
        [json.dumps(event, ensure_ascii=False) for event in events]
        + [bytes(payload).decode() for payload in payloads]
    )


def imported(path, options, name):
    """Return the run of an import, or why the file was refused as a whole."""
    try:
        return import_file(path, options, name=name)
    except NotUnderstood as error:
        return error


def check(path, seed):
    rng = random.Random(seed)
    name, make = rng.choice(
        [("a.csv", as_csv), ("a.csv", as_csv), ("a.jsonl", as_json_lines), ("a.json", as_array)]
    )
    path.write_bytes(encoded(mutated(make(rng), rng), rng))
    options = ReadingOptions(
        encoding=rng.choice([""] * 30 + ENCODINGS),
        file_format=rng.choice([FileFormat.PLUMBLINE] * 30 + [FileFormat.SEGMENT]),
    )
    run = imported(path, options, name)
    if isinstance(run, NotUnderstood):
        assert REASON.match(str(run)), run
        assert (Event.objects.count(), RejectedEvent.objects.count()) == (0, 0)
        assert not ImportRun.objects.exists()
        return "refused"
    assert run.lines == run.stored + run.duplicates + run.rejected
    assert run.stored == Event.objects.count()
    lines = set(RejectedEvent.objects.values_list("line", flat=True))
    assert len(lines) == run.rejected
    assert None not in lines
    text = path.read_bytes().decode(understand(path, name, options).encoding)
    assert kept() >= markers([text.partition("\n")[2] if name == "a.csv" else text])
    seen = preview(path, options, name=name, now=NOON)
    assert seen.events + seen.rejections.total() == run.lines
    Event.objects.all().delete()
    EventUuid.objects.all().delete()
    ImportRun.objects.all().delete()
    return "rejected some" if run.rejected else "stored"


def test_a_mutated_file_loses_no_row(tmp_path):
    outcomes = {check(tmp_path / "file", seed) for seed in range(60)}
    assert outcomes == {"stored", "rejected some", "refused"}


@pytest.mark.slow
def test_2000_mutated_files_lose_no_row(tmp_path):
    outcomes = Counter(check(tmp_path / "file", seed) for seed in range(1_000, 3_000))
    assert min(outcomes[each] for each in ("stored", "rejected some", "refused")) > 200
