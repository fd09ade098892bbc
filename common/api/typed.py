"""Answers that are structs or dataclasses: fields, types and help texts are written once."""

from functools import cache
from typing import Any

import msgspec
from msgspec import inspect
from rest_framework import serializers
from rest_framework.response import Response


def typed_response(answer: Any) -> Response:
    return Response(msgspec.to_builtins(answer))


@cache
def serializer_of(answer: type) -> type[serializers.Serializer]:
    """Return the serializer that describes a struct or a dataclass in the OpenAPI schema.

    A text in `msgspec.Meta(description=...)` becomes a field's help text.
    """
    described = inspect.type_info(answer)
    if not isinstance(described, inspect.StructType | inspect.DataclassType):
        raise TypeError(f"{answer} has no fields.")
    fields = {field.encode_name: _field(field.type) for field in described.fields}
    return type(f"{answer.__name__}Serializer", (serializers.Serializer,), fields)


_SCALARS: dict[type[inspect.Type], type[serializers.Field]] = {
    inspect.StrType: serializers.CharField,
    inspect.BoolType: serializers.BooleanField,
    inspect.IntType: serializers.IntegerField,
    inspect.FloatType: serializers.FloatField,
    inspect.DateType: serializers.DateField,
    inspect.DateTimeType: serializers.DateTimeField,
}


def _field(described: inspect.Type, **options: Any) -> serializers.Field:
    match described:
        case inspect.Metadata(type=inner, extra_json_schema=schema):
            field = _field(inner, help_text=(schema or {}).get("description"), **options)
        case inspect.UnionType(types=types) if described.includes_none:
            (inner,) = [inner for inner in types if not isinstance(inner, inspect.NoneType)]
            field = _field(inner, allow_null=True, **options)
        case inspect.StructType(cls=cls) | inspect.DataclassType(cls=cls):
            field = serializer_of(cls)(**options)
        case inspect.EnumType(cls=cls):
            field = serializers.ChoiceField(choices=[*cls], **options)
        case inspect.CollectionType(item_type=inner):
            field = _list(inner, **options)
        case inspect.DictType(value_type=inner):
            field = serializers.DictField(child=_field(inner), **options)
        case _:
            field = _SCALARS[type(described)](**options)
    return field


def _list(items: inspect.Type, **options: Any) -> serializers.Field:
    if isinstance(items, inspect.StructType | inspect.DataclassType):
        return serializer_of(items.cls)(many=True, **options)
    return serializers.ListField(child=_field(items), **options)
