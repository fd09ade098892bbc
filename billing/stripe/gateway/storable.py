"""Stripe's JSON as PostgreSQL can store it."""

import re
from math import isfinite
from typing import Any

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(value: Any) -> Any:
    """Return JSON with the replacement character for U+0000 and unpaired surrogates.

    Numbers that are not finite are null.
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {storable(name): storable(inner) for name, inner in value.items()}
    if isinstance(value, float) and not isfinite(value):
        return None
    return [storable(row) for row in value] if isinstance(value, list) else value
