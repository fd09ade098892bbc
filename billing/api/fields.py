"""What requests to billing hold: texts and amounts that are taken as they are, or refused."""

from typing import Any

from rest_framework import serializers

from common.formatting import plain


class TextField(serializers.CharField):
    """A text as it is, if a database can hold it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise serializers.ValidationError("Not a valid text: half a character.") from error
        return text


class WholeNumberField(serializers.IntegerField):
    """A JSON number that is a whole one: no text, no fraction, no true."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            raise serializers.ValidationError("A whole number is required.")
        return int(super().to_internal_value(data))


class UsageNumberField(serializers.FloatField):
    def to_representation(self, value: Any) -> Any:
        return plain(value)
