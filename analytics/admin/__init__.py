from analytics.admin import (
    capture,
    erasures,
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
    "erasures",
    "exclusion_rules",
    "exclusions",
    "groups",
    "merges",
    "persons",
    "project_keys",
    "rejected_events",
]
