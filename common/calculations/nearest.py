"""The existing name that a misspelt one may stand for."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 60  # characters compared, as the work grows with their square


def nearest(name: str, existing: Iterable[str]) -> str | None:
    """Return the most similar existing name, without regard to case; None if there is none."""
    by_key = {each.lower(): each for each in existing}
    matches = get_close_matches(name[:_LONGEST].lower(), by_key, n=1, cutoff=0)
    return by_key[matches[0]] if matches else None
