"""Single fields of Stripe's JSON, read strictly."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any


class UnusableStripeObject(ValueError):
    """A Stripe object that cannot be used; `field` and the text name the problem."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


def id_of(value: Any, field: str, *, default: str | None = None) -> str:
    """Return an id, also of an expanded object."""
    object_id = value.get("id") if isinstance(value, dict) else value
    if isinstance(object_id, str) and object_id:
        return object_id
    if default is None:
        raise UnusableStripeObject(
            field, "is missing" if not object_id else f"{object_id!r} is not an id"
        )
    return default


def whole(
    owner: Mapping[str, Any], name: str, where: str, *, default: int = 0, least: int = 0
) -> int:
    value = owner.get(name)
    if value is None:
        return default
    if type(value) is not int or value < least:
        raise UnusableStripeObject(
            f"{where}.{name}", f"{value!r} is not a whole number of at least {least}"
        )
    return value


def decimal(value: Any, field: str) -> Fraction:
    try:
        number = Fraction(str(value))
    except (ValueError, ZeroDivisionError) as error:
        raise UnusableStripeObject(field, f"{value!r} is not a number") from error
    if number < 0:
        raise UnusableStripeObject(field, f"{value!r} is negative")
    return number


def moment_of(owner: Mapping[str, Any], name: str) -> int | None:
    value = owner.get(name)
    if value is None or type(value) is int:
        return value
    raise UnusableStripeObject(name, f"{value!r} is not a Unix time")
