"""The order of an object's events. Stripe's times are seconds, and several may share one.

Within a second `created` comes first and `deleted` last; of the updates in between each follows
the one that left what its `previous_attributes` say. Only where these leave it open, as with an
event that never arrived, the ids decide.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

Json = Mapping[str, Any]

_RANKS = {"created": 0, "deleted": 2}
_LONGEST_SEARCH = 8  # events of a second; more are ordered step by step


def in_order(events: Iterable[Json]) -> list[Json]:
    """Return events of one object in the order in which they happened."""
    ordered: list[Json] = []
    for _, group in groupby(sorted(events, key=_key), key=moment_and_rank):
        same_second = list(group)
        if len(same_second) > 1:
            same_second = _chained(same_second, _object(ordered[-1]) if ordered else None)
        ordered += same_second
    return ordered


def moment_and_rank(event: Json) -> tuple[int, int]:
    """Return what orders the events of different seconds, and of a second by their type."""
    return event["created"], _RANKS.get(event["type"].rpartition(".")[2], 1)


def object_before(event: Json) -> dict[str, Any]:
    """Return the object as it was before an event, as far as the event says."""
    return _patched(_object(event), event["data"].get("previous_attributes") or {})


def _key(event: Json) -> tuple[int, int, str]:
    return (*moment_and_rank(event), event.get("id") or "")


def _object(event: Json) -> Json:
    stripe_json: Json = event["data"]["object"]
    return stripe_json


def _patched(now: Json, before: Json) -> dict[str, Any]:
    """Return `now` with earlier values: of hashes only what differed is sent, arrays are whole."""
    both = {name: (now.get(name), value) for name, value in before.items()}
    return {**now} | {
        name: _patched(new, old) if isinstance(new, dict) and isinstance(old, dict) else old
        for name, (new, old) in both.items()
    }


def _chained(events: Sequence[Json], before: Json | None) -> list[Json]:
    """Return the updates of a second in order; `before` is the object before that second."""
    if len(events) <= _LONGEST_SEARCH:
        for start in (before, None):
            if (chain := _chain(start, events)) is not None:
                return chain
    ordered: list[Json] = []
    left = list(events)
    while left:
        current = _object(ordered[-1]) if ordered else before
        following = [e for e in left if current is not None and _follows(e, current)]
        first = [e for e in left if not any(_follows(e, _object(f)) for f in left if f is not e)]
        ordered.append((following or first or left)[0])
        left.remove(ordered[-1])
    return ordered


def _chain(current: Json | None, left: Sequence[Json]) -> list[Json] | None:
    """Return all events, each following the one before it; None if they do not form a chain."""
    if not left:
        return []
    for event in left:
        if current is None or _follows(event, current):
            rest = _chain(_object(event), [other for other in left if other is not event])
            if rest is not None:
                return [event, *rest]
    return None


def _follows(event: Json, current: Json) -> bool:
    """Whether an event may have happened to the object `current`."""
    before = event["data"].get("previous_attributes")
    return _agrees(current, before) if before else current == _object(event)


def _agrees(current: Json, before: Json) -> bool:
    return all(
        _agrees(current[name], value)
        if isinstance(value, dict) and isinstance(current.get(name), dict)
        else current.get(name) == value
        for name, value in before.items()
    )
