"""Long values, shortened for pages and lists."""

import json
from collections.abc import Mapping
from typing import Any

LONGEST_VALUE = 1_000  # characters of a value on a page or in a list
LONGEST_TOTAL = 64_000  # characters of all values of an object


def shortened_text(text: str, longest: int = LONGEST_VALUE) -> str:
    """Return the text, or its beginning with a note of its full length."""
    return text if len(text) <= longest else f"{text[:longest]}… (cut: {len(text):,} characters)"


def as_text(value: Any) -> str:
    """Return a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shortened(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object whose long values are shortened texts.

    Of very many properties the first ones stay; "…" says how many are missing.
    """
    result: dict[str, Any] = {}
    total = 0
    for name, value in properties.items():
        text = as_text(value)
        total += len(name) + min(len(text), LONGEST_VALUE)
        if total > LONGEST_TOTAL:
            result["…"] = f"(cut: {len(properties) - len(result):,} more properties)"
            break
        result[name] = value if len(text) <= LONGEST_VALUE else shortened_text(text)
    return result
