"""Properties of groups, as events set them: layers, bounds and times as of persons."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.bounds import Refusal
from analytics.calculations.people.profile import Profile, ProfileDraft, PropertyChanges
from analytics.calculations.people.profile_changes import group_change
from analytics.calculations.records import EventRecord

Properties = Mapping[str, Any]
GroupKey = tuple[str, str]  # the group's type and key

_GROUPS_AT_ONCE = 32  # each within the bounds
_COLUMNS = ("properties", "proved", "claimed", "refused", "set_at", "proved_set_at")


def update(cursor: psycopg.Cursor, events: EventBatch) -> dict[bytes, Refusal]:
    """Apply the properties of ``$groupidentify`` events; later ones win.

    Return why events had properties refused, by their uuid.
    """
    by_group: dict[GroupKey, list[tuple[EventRecord, Properties]]] = defaultdict(list)
    for record in events.special.values():
        if change := group_change(record):
            by_group[change.group_type, change.key].append((record, change.properties))
    refusals: dict[bytes, Refusal] = {}
    keys = sorted(by_group)
    for start in range(0, len(keys), _GROUPS_AT_ONCE):
        portion = keys[start : start + _GROUPS_AT_ONCE]
        drafts = _read(cursor, portion)
        for key in portion:
            for record, properties in by_group[key]:
                if refusal := drafts[key].change(PropertyChanges(properties), record):
                    refusals[record.uuid] = refusal
        _write(cursor, drafts)
    return refusals


def _read(cursor: psycopg.Cursor, keys: Sequence[GroupKey]) -> dict[GroupKey, ProfileDraft]:
    """Return the groups, empty ones where none is stored."""
    cursor.execute(
        """
        SELECT group_type, group_key,
            properties::text, proved::text, claimed::text, refused::text, set_at::text,
            proved_set_at::text
        FROM unnest(%s::text[], %s::text[]) AS wanted (group_type, group_key)
        JOIN analytics_group AS stored USING (group_type, group_key)
        FOR UPDATE OF stored
        """,
        [list(column) for column in zip(*keys, strict=True)],
    )
    stored: dict[GroupKey, Profile] = {}
    for group_type, key, *columns in cursor.fetchall():
        values = dict(zip(_COLUMNS, map(json.loads, columns), strict=True))
        stored[group_type, key] = Profile(**values)
    return {key: ProfileDraft(stored.get(key, Profile())) for key in keys}


def _write(cursor: psycopg.Cursor, drafts: Mapping[GroupKey, ProfileDraft]) -> None:
    profiles = [draft.profile for draft in drafts.values()]
    cursor.execute(
        """
        INSERT INTO analytics_group
            (group_type, group_key, properties, proved, claimed, refused, set_at, proved_set_at)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::jsonb[], %s::jsonb[], %s::jsonb[],
            %s::jsonb[], %s::jsonb[], %s::jsonb[])
        ON CONFLICT (group_type, group_key) DO UPDATE SET
            properties = excluded.properties, proved = excluded.proved,
            claimed = excluded.claimed, refused = excluded.refused, set_at = excluded.set_at,
            proved_set_at = excluded.proved_set_at
        """,
        [
            [group_type for group_type, _ in drafts],
            [key for _, key in drafts],
            *(
                [json.dumps(getattr(profile, column)) for profile in profiles]
                for column in _COLUMNS
            ),
        ],
    )
