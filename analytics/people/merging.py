"""Merge persons: their ids, events, days and counters move together."""

from collections.abc import Mapping

import psycopg

from analytics.rollups import rollups
from common.postgres import array_literal

_PAIRS = "unnest(%(sources)s::bigint[], %(targets)s::bigint[]) AS pair (source, target)"

# A distribution column cannot be updated on a cluster, so rows are deleted and inserted again.
_MOVES = (
    f"""
    WITH moved AS (
        DELETE FROM analytics_event USING {_PAIRS} WHERE person_id = source
        RETURNING target, timestamp, uuid, event, distinct_id, properties, proved, short_properties
    )
    INSERT INTO analytics_event
        (person_id, timestamp, uuid, event, distinct_id, properties, proved, short_properties)
    SELECT * FROM moved
    """,
    f"""
    WITH moved AS (
        DELETE FROM analytics_personday USING {_PAIRS} WHERE person_id = source
        RETURNING target, day
    )
    INSERT INTO analytics_personday (person_id, day) SELECT * FROM moved ON CONFLICT DO NOTHING
    """,
    f"""
    UPDATE analytics_distinctid SET person_id = target FROM {_PAIRS} WHERE person_id = source
    """,
    f"""
    UPDATE analytics_person AS person SET
        created_at = least(person.created_at, merged.created_at),
        first_seen_at = least(person.first_seen_at, merged.first_seen_at),
        first_event_at = least(person.first_event_at, merged.first_event_at),
        signup_at = least(person.signup_at, merged.signup_at),
        activated_at = least(person.activated_at, merged.activated_at),
        excluded = coalesce(person.excluded_by_hand OR merged.excluded_by_hand,
                            person.excluded_by_hand, merged.excluded_by_hand,
                            person.excluded OR merged.excluded),
        excluded_by_hand = coalesce(person.excluded_by_hand OR merged.excluded_by_hand,
                                    person.excluded_by_hand, merged.excluded_by_hand),
        is_identified = true,
        has_profile = true,
        is_demo = person.is_demo AND merged.is_demo
    FROM (
        SELECT target, min(created_at) AS created_at, min(first_seen_at) AS first_seen_at,
               min(first_event_at) AS first_event_at, min(signup_at) AS signup_at,
               min(activated_at) AS activated_at, bool_or(excluded) AS excluded,
               bool_or(excluded_by_hand) AS excluded_by_hand, bool_and(is_demo) AS is_demo
        FROM {_PAIRS} JOIN analytics_person ON id = source GROUP BY target
    ) AS merged
    WHERE person.id = merged.target
    """,
    f"DELETE FROM analytics_person USING {_PAIRS} WHERE id = source",
)


def merge(cursor: psycopg.Cursor, merges: Mapping[int, int]) -> None:
    """Move everything of each source into its target, inside the caller's transaction.

    Needs the identity lock. `merges` names final targets: no source is itself a target.
    Properties are merged by `analytics.people.profiles`.
    """
    if not merges:
        return
    with rollups.locked_recount(cursor, merges.keys() | set(merges.values())):
        parameters = {
            "sources": array_literal(merges),
            "targets": array_literal(merges.values()),
        }
        for statement in _MOVES:
            cursor.execute(statement, parameters)
