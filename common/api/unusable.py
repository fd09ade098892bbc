"""What a request says that its endpoint cannot use, with the nearest name that it can."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any, TypeAlias

from django.http import QueryDict
from rest_framework.serializers import Field, ListField

from common.calculations.nearest import nearest

Errors: TypeAlias = "dict[str, list[str]]"  # messages by name
MOST_NAMED = 20  # unknown names in one answer
_LONGEST = 100  # characters of a name that are repeated


def unusable_parameters(
    parameters: QueryDict, fields: Mapping[str, Field], body_names: Collection[str]
) -> Errors:
    """Return why query parameters cannot be used: unknown, repeated or blank ones."""
    errors = _unknown(parameters, fields, "parameter")
    for name in errors.keys() & set(body_names):
        errors[name] = ["Not a query parameter: send it in the body, as JSON."]
    for name, texts in parameters.lists():
        if name not in fields:
            continue
        if not all(text.strip() for text in texts):
            errors[name] = ["Must not be blank: give it a value, or leave it out."]
        elif len(texts) > 1 and not isinstance(fields[name], ListField):
            errors[name] = [f"Was given {len(texts)} times, and takes one value."]
    return errors


def unusable_fields(body: Any, fields: Mapping[str, Field]) -> Errors:
    """Return which fields of a body are unknown; what is not an object has no fields."""
    if isinstance(body, Mapping):
        return _unknown(body, fields, "field")
    return {} if fields or not body else {"non_field_errors": ["No body is expected."]}


def _unknown(names: Iterable[str], fields: Mapping[str, Field], word: str) -> Errors:
    unknown = islice((name for name in names if name not in fields), MOST_NAMED)
    return {name[:_LONGEST]: [_message(name, fields, word)] for name in unknown}


def _message(name: str, fields: Mapping[str, Field], word: str) -> str:
    match = nearest(name, fields)
    if match is None:
        return f"Unknown {word}: none are expected here."
    return f"Unknown {word}. Did you mean {match}? Accepted: {', '.join(fields)}."
