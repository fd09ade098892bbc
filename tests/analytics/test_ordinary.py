"""Reading ordinary events together gives what reading them one by one gives."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.ordinary import ordinary_records
from analytics.calculations.wire import Arrival, decode_event, event_record

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ORDINARY = {
    "event": "used",
    "uuid": "0b3f6b0e-1f0e-4b3e-9c3c-0123456789ab",
    "distinct_id": "ada",
    "timestamp": "2026-06-15T11:00:00.123456+00:00",
    "properties": {"plan": "team"},
}
texts = st.sampled_from(["used", " used", "", "\0", "$identify", "é", "x" * 201, "$groupidentify"])
properties = st.dictionaries(
    st.sampled_from(["plan", "$set", "$unset", "$process_person_profile", "alias", "$lib"]),
    st.sampled_from([1, 1e300, "\0", "é", {"a": [[]]}, "9" * 4_100, False, "$ignore_sent_at"]),
)
odd_fields = st.fixed_dictionaries(
    {},
    optional={
        "event": texts,
        "distinct_id": texts | st.integers(),
        "uuid": st.sampled_from(["", "0b3f6b0e1f0e4b3e9c3c0123456789ab", "z" * 36, "-" * 36]),
        "timestamp": st.sampled_from(
            [
                "2026-06-15",
                "2026-06-15T11:00:00+02:00",
                "1970-01-01T00:00:00Z",
                "2027-01-01T00:00Z",
                5,
            ]
        ),
        "properties": properties | st.none() | st.just([]),
        "$set": properties,
        "options": st.none() | st.just({"process_person_profile": False}),
    },
)


@given(
    st.lists(odd_fields, min_size=1, max_size=4),
    st.none() | st.just(NOW - timedelta(hours=1)),
)
def test_events_read_together_are_what_they_are_read_one_by_one(odd, sent_at):
    raws = [msgspec.json.encode(ORDINARY | fields) for fields in odd]
    arrival = Arrival(NOW, sent_at)
    for raw, together in zip(raws, ordinary_records(raws, arrival), strict=True):
        if together is not None:
            alone = event_record(decode_event(raw), raw, arrival)
            assert msgspec.structs.replace(alone, ordinary=True) == together


def test_an_ordinary_event_is_read_together_with_others_though_one_is_special():
    raws = [msgspec.json.encode(ORDINARY | extra) for extra in ({}, {"$set": {"plan": "pro"}})]
    first, second = ordinary_records(raws, Arrival(NOW))
    assert first is not None
    assert second is None
