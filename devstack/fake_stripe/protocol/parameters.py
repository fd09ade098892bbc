"""Form-encoded nested parameters, checked as strictly as Stripe does.

A specification maps each parameter an endpoint knows to its kind; a kind turns the text that was
sent into a value, or refuses it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from devstack.fake_stripe.errors import StripeError, missing

_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500  # of metadata

Kind = Callable[[Any, str], Any]
Params = dict[str, Any]


@dataclass(frozen=True)
class Required:
    kind: Kind


Specification = Mapping[str, Kind | Required]


def parse_form(text: str) -> Params:
    """Parse `items[0][price]=price_1&expand[]=customer` to nested dicts; keys are list indexes."""
    tree: Params = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *branches, leaf = name.replace("]", "").split("[")
        node = tree
        for part in branches:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise StripeError(f"Invalid parameter: {name}", param=name)
        node[leaf or str(len(node))] = value
    return tree


def check(specification: Specification, params: Params, prefix: str = "") -> Params:
    """Return the values of the sent parameters; raise for unknown and missing ones."""

    def full_name(name: str) -> str:
        return f"{prefix}[{name}]" if prefix else name

    for name in params:
        if name not in specification:
            param = full_name(name)
            raise StripeError(
                f"Received unknown parameter: {param}", code="parameter_unknown", param=param
            )
    values = {}
    for name, kind in specification.items():
        if name in params:
            convert = kind.kind if isinstance(kind, Required) else kind
            values[name] = convert(params[name], full_name(name))
        if isinstance(kind, Required) and values.get(name) in (None, [], {}):
            raise missing(full_name(name))
    return values


def text(value: Any, param: str) -> str | None:
    if not isinstance(value, str):
        raise StripeError("Invalid string: expected a text.", param=param)
    return value or None  # an empty text unsets, as with Stripe


def short(longest: int) -> Kind:
    """Accept a text of at most so many characters."""

    def convert(value: Any, param: str) -> str | None:
        if isinstance(value, str) and len(value) > longest:
            raise StripeError(f"Invalid string: at most {longest} characters.", param=param)
        return text(value, param)

    return convert


def integer(value: Any, param: str) -> int:
    if not isinstance(value, str) or not value.removeprefix("-").isdecimal():
        raise StripeError(
            f"Invalid integer: {value}", code="parameter_invalid_integer", param=param
        )
    return int(value)


def natural(value: Any, param: str) -> int:
    number = integer(value, param)
    if number < 0:
        raise StripeError(
            "This value must be greater than or equal to 0.",
            code="parameter_invalid_integer",
            param=param,
        )
    return number


def decimal(value: Any, param: str) -> str:
    try:
        return str(Decimal(value))
    except (InvalidOperation, TypeError, ValueError):
        raise StripeError(f"Invalid decimal: {value}", param=param) from None


def percentage(value: Any, param: str) -> float:
    number = float(decimal(value, param))
    if not 0 < number <= 100:
        raise StripeError("Percent must be between 0 and 100.", param=param)
    return number


def boolean(value: Any, param: str) -> bool:
    if value not in {"true", "false"}:
        raise StripeError(f"Invalid boolean: {value}", param=param)
    return bool(value == "true")


def currency(value: Any, param: str) -> str:
    if not isinstance(value, str) or len(value) != 3 or not value.isalpha():
        raise StripeError(f"Invalid currency: {value}.", param=param)
    return value.lower()


def metadata(value: Any, param: str) -> dict[str, str]:
    if value == "":
        return {}
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise StripeError("Metadata values must be texts.", param=param)
    if len(value) > _MOST_KEYS:
        raise StripeError(f"Metadata can have up to {_MOST_KEYS} keys.", param=param)
    for name, content in value.items():
        if len(name) > _LONGEST_KEY or len(content) > _LONGEST_VALUE:
            raise StripeError(
                f"Metadata keys can have up to {_LONGEST_KEY} characters, values up to"
                f" {_LONGEST_VALUE}.",
                param=f"{param}[{name}]",
            )
    return value


def choice(*allowed: str) -> Kind:
    def convert(value: Any, param: str) -> str:
        if value not in allowed:
            choices = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
            raise StripeError(f"Invalid {param}: must be one of {choices}", param=param)
        return str(value)

    return convert


def hash_of(specification: Specification) -> Kind:
    def convert(value: Any, param: str) -> Params:
        if not isinstance(value, dict):
            raise StripeError("Invalid object", param=param)
        return check(specification, value, param)

    return convert


def by_currency(kind: Kind) -> Kind:
    """Read a value for each of several currencies."""

    def convert(value: Any, param: str) -> Params:
        if not isinstance(value, dict):
            raise StripeError("Invalid object", param=param)
        return {
            currency(name, param): kind(inner, f"{param}[{name}]") for name, inner in value.items()
        }

    return convert


def list_of(kind: Kind) -> Kind:
    def convert(value: Any, param: str) -> list[Any]:
        if value == "":
            return []
        if not isinstance(value, dict) or not all(key.isdecimal() for key in value):
            raise StripeError("Invalid array", param=param)
        return [kind(value[key], f"{param}[{key}]") for key in sorted(value, key=int)]

    return convert


def either(word: str, kind: Kind) -> Kind:
    """Accept a special word such as `now` instead of a value; an empty one unsets."""
    return lambda value, param: (word or None) if value == word else kind(value, param)


def unsettable(kind: Kind) -> Kind:
    return either("", kind)


def moments(value: Any, param: str) -> Params:
    """Read a time, or a range of times such as `created[gte]`."""
    if isinstance(value, str):
        moment = integer(value, param)
        return {"gte": moment, "lte": moment}
    return hash_of(dict.fromkeys(("gt", "gte", "lt", "lte"), integer))(value, param)  # type: ignore[no-any-return]


PAGE: Specification = {
    "limit": natural,
    "starting_after": text,
    "ending_before": text,
    "created": moments,
}
EXPAND: Specification = {"expand": list_of(text)}
