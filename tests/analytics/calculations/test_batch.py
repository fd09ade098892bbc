"""Events as columns are the events that they are as records."""

from datetime import UTC, datetime

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.batch import EventBatch
from analytics.ingestion.partitions import months_of
from tests.events import record

times = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
texts = st.sampled_from(["ada", "ben", "é", "漢" * 200])
records = st.builds(record, texts, texts, times, properties=st.just({"plan": "team"}))
batches = st.lists(records, max_size=6).map(EventBatch.from_records)


def without_records(batch):
    """Return the batch as ordinary events are read, without records."""
    columns = batch.names, batch.distinct_ids, batch.uuids, batch.times, batch.properties
    return EventBatch(*columns, batch.proved)


@given(st.lists(records, max_size=6))
def test_columns_give_back_the_records_they_were_made_of(events):
    assert list(without_records(EventBatch.from_records(events))) == events


@given(batches, batches)
def test_concatenated_batches_hold_the_events_of_both(first, second):
    both = EventBatch.concatenate([without_records(first), second])
    assert list(both) == [*first, *second]
    assert list(both.special) == list(range(len(first), len(both)))


@given(batches, st.data())
def test_events_are_taken_in_the_requested_order(batch, data):
    indices = data.draw(st.permutations(range(len(batch))))[:3]
    taken = batch.take(np.array(indices, np.int64))
    assert list(taken) == [batch[index] for index in indices]
    assert list(taken.special) == sorted(taken.special)


@given(batches, st.data())
def test_another_uuid_replaces_that_of_the_event_and_of_its_record(batch, data):
    indices = data.draw(st.permutations(range(len(batch))))[:2]
    uuids = {index: bytes([index] * 16) for index in indices}
    expected = [
        msgspec.structs.replace(event, uuid=uuids.get(index, event.uuid))
        for index, event in enumerate(batch)
    ]
    assert list(batch.with_uuids(uuids)) == expected
    assert list(without_records(batch.with_uuids(uuids))) == expected


@given(batches, st.slices(6))
def test_a_slice_holds_the_events_in_it(batch, part):
    assert list(batch[part]) == list(batch)[part]
    assert list(without_records(batch)[part]) == list(batch)[part]


@given(batches)
def test_the_months_of_times_in_microseconds_are_those_of_the_times(batch):
    assert months_of(batch.times) == sorted(
        {event.timestamp.date().replace(day=1) for event in batch}
    )
