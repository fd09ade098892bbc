"""The values of dj-stripe's columns for Stripe's JSON."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from djstripe.models import StripeModel

from billing.calculations.stripe_fields import UnusableStripeObject, id_of

Json = dict[str, Any]

_OURS = {"id", "stripe_data", "subscriber", "date_purged"}


def columns_of(model: type[StripeModel], stripe_json: Json) -> Json:
    """Return dj-stripe's columns; of the foreign keys only the customer and required ones.

    UnusableStripeObject names the invalid field.
    """
    columns: Json = {"stripe_data": stripe_json}
    for field in _fields(model):
        value = _pointer if field.is_relation else _value
        columns[field.attname] = value(field, stripe_json)
    return columns


def pointers_in(model: type[StripeModel], columns: Json) -> Iterator[tuple[type[StripeModel], str]]:
    """Yield what an object's columns refer to."""
    for field in _fields(model):
        if field.is_relation and columns[field.attname] is not None:
            yield field.related_model, columns[field.attname]


def _fields(model: type[StripeModel]) -> list[Any]:
    return _cached_fields(model)  # type: ignore[arg-type]  # every class can be hashed


@cache
def _cached_fields(model: type[StripeModel]) -> list[Any]:
    return [
        field
        for field in model._meta.concrete_fields
        if not field.name.startswith("djstripe_")
        and field.name not in _OURS
        and (not field.is_relation or field.name == "customer" or not field.null)
    ]


def _pointer(field: Any, stripe_json: Json) -> str | None:
    value = stripe_json.get(field.name)
    return None if value is None and field.null else id_of(value, field.name)


def _value(field: Any, stripe_json: Json) -> Any:
    value = stripe_json.get(field.name)
    if isinstance(field, models.IntegerField | models.DecimalField) and type(value) is not int:
        raise UnusableStripeObject(
            field.name, f"{value!r} is not a whole number" if value else "is missing"
        )
    if value is None and isinstance(field, models.CharField | models.TextField) and not field.null:
        return ""
    try:
        if hasattr(field, "stripe_to_db"):
            value = field.stripe_to_db(stripe_json)
        return field.to_python(value)
    except (ValidationError, TypeError, ValueError, OverflowError, OSError) as error:
        raise UnusableStripeObject(field.name, f"{value!r} cannot be used") from error
