"""Fields of requests and responses of billing."""

from typing import Any

from rest_framework import serializers

from common.formatting import plain


class TextField(serializers.CharField):
    """A text, unchanged, that the database can store."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise serializers.ValidationError(
                "Invalid text: contains an unpaired surrogate."
            ) from error
        return text


class WholeNumberField(serializers.IntegerField):
    """A whole JSON number: not a string, a fraction or a boolean."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            raise serializers.ValidationError("A whole number is required.")
        return int(super().to_internal_value(data))


class UsageNumberField(serializers.FloatField):
    def to_representation(self, value: Any) -> Any:
        return plain(value)
