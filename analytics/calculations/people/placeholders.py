"""Distinct ids that identify no person."""

# Placeholder ids that products send for unknown users: they never identify a person.
_ILLEGAL_IN_ANY_CASE = frozenset(
    "anonymous guest distinctid distinct_id id not_authenticated email undefined true false".split()
)
_ILLEGAL = frozenset(["[object Object]", "NaN", "None", "none", "null", "0"])


def is_illegal(distinct_id: str) -> bool:
    """Whether an id cannot identify a person: a placeholder, blank, or blank in quotes."""
    bare = distinct_id.strip().strip("\"'").strip()
    return not bare or distinct_id in _ILLEGAL or distinct_id.lower() in _ILLEGAL_IN_ANY_CASE
