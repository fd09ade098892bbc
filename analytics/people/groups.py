"""Properties of groups, as events set them in order of arrival, within the bounds."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.bounds import BoundedProperties, Refusal, forget, note
from analytics.calculations.people.profile_changes import GroupChange, group_change

GroupKey = tuple[str, str]  # the group's type and key

_GROUPS_AT_ONCE = 32  # each within the bounds


def update(cursor: psycopg.Cursor, events: EventBatch) -> dict[bytes, Refusal]:
    """Apply the properties of ``$groupidentify`` events; later ones win.

    Return why events had properties refused, by their uuid.
    """
    by_group: dict[GroupKey, list[tuple[bytes, GroupChange]]] = defaultdict(list)
    for record in events.special.values():
        if change := group_change(record):
            by_group[change.group_type, change.key].append((record.uuid, change))
    refusals: dict[bytes, Refusal] = {}
    keys = sorted(by_group)
    for start in range(0, len(keys), _GROUPS_AT_ONCE):
        portion = keys[start : start + _GROUPS_AT_ONCE]
        drafts = _read(cursor, portion)
        for key in portion:
            for uuid, change in by_group[key]:
                if refusal := drafts[key].change(change.properties):
                    refusals[uuid] = refusal
        _write(cursor, drafts)
    return refusals


class _Draft:
    """A group's properties while the events of a batch change them, and those refused."""

    def __init__(self, properties: str, refused: str) -> None:
        self.bounded = BoundedProperties(json.loads(properties))
        self.refused: dict[str, str] = json.loads(refused)

    def change(self, properties: Mapping[str, Any]) -> Refusal | None:
        """Set properties, and return why one was refused, if any was."""
        refusals = [self._set(name, value) for name, value in properties.items()]
        return next(filter(None, refusals), None)

    def _set(self, name: str, value: Any) -> Refusal | None:
        if refusal := self.bounded.set(name, value):
            note(self.refused, name, refusal)
        else:
            forget(self.refused, name)
        return refusal


def _read(cursor: psycopg.Cursor, keys: Sequence[GroupKey]) -> dict[GroupKey, _Draft]:
    """Return the groups, empty ones where none is stored."""
    cursor.execute(
        """
        SELECT group_type, group_key, properties::text, refused::text
        FROM unnest(%s::text[], %s::text[]) AS wanted (group_type, group_key)
        JOIN analytics_group AS stored USING (group_type, group_key)
        FOR UPDATE OF stored
        """,
        [list(column) for column in zip(*keys, strict=True)],
    )
    stored = {(row[0], row[1]): _Draft(*row[2:]) for row in cursor.fetchall()}
    return {key: stored.get(key) or _Draft("{}", "{}") for key in keys}


def _write(cursor: psycopg.Cursor, drafts: Mapping[GroupKey, _Draft]) -> None:
    cursor.execute(
        """
        INSERT INTO analytics_group (group_type, group_key, properties, refused)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::jsonb[], %s::jsonb[])
        ON CONFLICT (group_type, group_key)
        DO UPDATE SET properties = excluded.properties, refused = excluded.refused
        """,
        [
            [group_type for group_type, _ in drafts],
            [key for _, key in drafts],
            [json.dumps(draft.bounded.values) for draft in drafts.values()],
            [json.dumps(draft.refused) for draft in drafts.values()],
        ],
    )
