"""Serializers of frozen dataclasses, so that an answer's fields are written once."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from rest_framework import serializers


class NumberField(serializers.FloatField):
    """A number that stays whole where it is."""

    def to_representation(self, value: float) -> Any:
        return value


_FIELDS: Mapping[type, type[serializers.Field]] = {
    str: serializers.CharField,
    int: serializers.IntegerField,
    float: serializers.FloatField,
    bool: serializers.BooleanField,
    date: serializers.DateField,
    datetime: serializers.DateTimeField,
    NumberField: NumberField,
}


def as_json(answer: Any) -> Any:
    """Return a dataclass as the plain values that its JSON has."""
    return msgspec.to_builtins(answer)


@cache
def serializer_of(dataclass: type) -> type[serializers.Serializer]:
    """Return a read-only serializer with a field for each of a dataclass's fields.

    A text in `Annotated` is the field's description. Tuples are of one type and any length.
    """
    hints = get_type_hints(dataclass, include_extras=True)
    generated = (dataclass.__doc__ or "").startswith(f"{dataclass.__name__}(")
    members: dict[str, Any] = {"__doc__": None if generated else dataclass.__doc__}
    for field in fields(dataclass):
        members[field.name] = _field(hints[field.name])
    return type(f"{dataclass.__name__}Serializer", (serializers.Serializer,), members)


def _field(hint: Any) -> serializers.Field:
    hint, options = _unwrapped(hint)
    if get_origin(hint) in {tuple, list}:
        return _list(get_args(hint)[0], **options)
    if get_origin(hint) is Mapping:
        _, item = get_args(hint)
        return serializers.DictField(child=_field(item), **options)
    if is_dataclass(hint):
        return _nested(hint, **options)
    if issubclass(hint, Enum):
        return serializers.ChoiceField(choices=[member.value for member in hint], **options)
    return _FIELDS[hint](**options)


def _list(item: Any, **options: Any) -> serializers.Field:
    if is_dataclass(item):
        return _nested(item, many=True, **options)
    return serializers.ListField(child=_field(item), **options)


def _nested(dataclass: Any, **options: Any) -> serializers.Serializer:
    return serializer_of(dataclass)(**options)


def _unwrapped(hint: Any) -> tuple[Any, dict[str, Any]]:
    """Return a hint without None and without its description, and what both mean for the field."""
    options: dict[str, Any] = {}
    while get_origin(hint) in {Annotated, Union, UnionType}:
        if get_origin(hint) is Annotated:
            hint, options["help_text"] = get_args(hint)
        else:
            hints = set(get_args(hint))
            if NoneType in hints:
                options["allow_null"] = True
            hint = NumberField if hints >= {int, float} else (hints - {NoneType}).pop()
    return hint, options
