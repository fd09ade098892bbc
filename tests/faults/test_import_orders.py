"""A real event log gives the same roll-ups however it is imported."""

import gzip
import random
from functools import partial
from typing import Any

import pytest

from analytics.ingestion.importing import import_file
from analytics.models import Counter, EventDay, PersonDay
from tests import database
from tests.processes import fork, wait
from tests.real_data import DATA, needed

FILE = "events_se_quantum/events.jsonl.gz"

pytestmark = [pytest.mark.django_db(transaction=True), needed(FILE)]


@pytest.fixture
def lines():
    return gzip.decompress((DATA / FILE).read_bytes()).splitlines()


_once: list[tuple[set[Any], ...]] = []


@pytest.fixture
def once(transactional_db):
    """Return the roll-ups of a single import, and leave the database empty."""
    if not _once:
        import_file(DATA / FILE)
        _once.append(rollups())
        database.restore_first_rows()
    return _once[0]


def rollups():
    counters = Counter.objects.exclude(value=0).values_list("name", "number", "day", "value")
    days = EventDay.objects.exclude(value=0).values_list("event", "day", "value")
    active = PersonDay.objects.values_list("person__distinct_ids", "day")
    return set(counters), set(days), set(active)


def write(path, lines):
    path.write_bytes(b"\n".join(lines))
    return path


def test_importing_twice_changes_nothing(once):
    import_file(DATA / FILE)
    again = import_file(DATA / FILE)
    assert (again.stored, again.duplicates, again.rejected) == (0, 13_213, 0)
    assert rollups() == once


def test_a_shuffled_file_gives_the_same(once, lines, tmp_path):
    random.shuffle(lines)
    import_file(write(tmp_path / "shuffled.jsonl", lines))
    assert rollups() == once


def test_two_halves_at_the_same_time_give_the_same(once, lines, tmp_path):
    random.shuffle(lines)
    halves = [write(tmp_path / f"{number}.jsonl", lines[number::2]) for number in range(2)]
    children = [fork(partial(import_file, half)) for half in halves]
    assert [wait(pid) for pid in children] == [0, 0]
    assert rollups() == once
