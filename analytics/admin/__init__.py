from analytics.admin import (
    capture,
    exclusion_rules,
    exclusions,
    groups,
    merges,
    persons,
    project_keys,
    rejected_events,
)

__all__ = [
    "capture",
    "exclusion_rules",
    "exclusions",
    "groups",
    "merges",
    "persons",
    "project_keys",
    "rejected_events",
]
