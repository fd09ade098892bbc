"""Query parameters and response fields that several resources share."""

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from rest_framework import serializers

from analytics.rollups import definitions
from common.api.serializers import serializer_of
from common.calculations.statistics import Interval, Status

EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)


class DayField(serializers.DateField):
    """A calendar day in the time zone in force, as YYYY-MM-DD."""

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        if not EARLIEST <= day <= LATEST:
            raise serializers.ValidationError(f"{day} must be between {EARLIEST} and {LATEST}.")
        return day


class CompleteDayField(DayField):
    """A day that is over."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", "The last complete day to include; by default the latest.")
        super().__init__(**options)

    def to_internal_value(self, value: Any) -> date:
        try:
            return definitions.complete_day(super().to_internal_value(value))
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error


class CommaSeparatedField(serializers.ListField):
    """A list in one parameter, ``days=1,7``, or in a repeated parameter, as forms send it."""

    def get_value(self, dictionary: Any) -> Any:
        return ",".join(dictionary.getlist(self.field_name)) or serializers.empty

    def to_internal_value(self, data: Any) -> list[Any]:
        items = [item.strip() for item in data.split(",") if item.strip()]
        return super().to_internal_value(items)

    def run_child_validation(self, data: Any) -> list[Any]:
        return [self._item(item) for item in data]

    def _item(self, item: str) -> Any:
        try:
            return self.child.run_validation(item)
        except serializers.ValidationError as error:
            messages = " ".join(map(str, error.detail))
            raise serializers.ValidationError(f"{item!r}: {messages}") from error


def reversed_range(first: date, last: date) -> serializers.ValidationError:
    """Return the error of a first day after the last one, which may be a default."""
    message = f"`from` ({first}) must not be after the last day ({last})."
    return serializers.ValidationError({"from": [message]})


def bounded_range(first: date, last: date, *, longest: timedelta) -> None:
    """Refuse a range that is reversed, or has more days than `longest`; both ends are included."""
    if first > last:
        raise reversed_range(first, last)
    if last - first >= longest:
        message = f"The range must not be longer than {longest.days} days."
        raise serializers.ValidationError({"from": [message]})


class DayQuery(serializers.Serializer):
    """The day that a response is about."""

    as_of = CompleteDayField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs if "as_of" in attrs else attrs | {"as_of": definitions.last_complete_day()}


class DayRangeQuery(serializers.Serializer):
    """``from`` and ``to``: the first and the last day, both included; an absent one is open."""

    to = DayField(required=False, source="last", help_text="The last day, included.")

    def get_fields(self) -> dict[str, serializers.Field]:
        first = DayField(required=False, source="first", help_text="The first day, included.")
        return {"from": first, **super().get_fields()}  # `from` is a keyword in Python

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs.setdefault("first", None), attrs.setdefault("last", None)
        if first and last and first > last:
            message = f"`to` ({last}) must not be before `from` ({first})."
            raise serializers.ValidationError({"to": [message]})
        return attrs


class AsOfRangeQuery(DayRangeQuery):
    """A range of days, seen from the end of the day ``as_of``."""

    as_of = CompleteDayField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        first, as_of = attrs["first"], attrs.get("as_of")
        if first and as_of and first > as_of:
            raise reversed_range(first, as_of)
        return attrs | {"as_of": as_of or definitions.last_complete_day()}


class RangeFields(serializers.Serializer):
    """The range of days that a response covers, null where it is open."""

    to = serializers.DateField(source="last", allow_null=True)
    as_of = serializers.DateField(help_text="The last day included.")
    time_zone = serializers.CharField(help_text="Where days begin and end.")

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            "from": serializers.DateField(source="first", allow_null=True),
            **super().get_fields(),
        }


IntervalSerializer = serializer_of(Interval)


class RateSerializer(serializers.Serializer):
    """A fraction with its confidence interval and status."""

    rate = serializers.FloatField(source="value", allow_null=True, help_text="0 to 1.")
    interval = IntervalSerializer(allow_null=True, help_text="95 % Wilson interval.")
    status = serializers.ChoiceField(choices=[*Status])
    reason = serializers.CharField(help_text="Why the status is not ok.")


class RateFields(serializers.Serializer):
    """The same fields for an object that has a `rate` and fields of its own."""

    rate = serializers.FloatField(source="rate.value", allow_null=True, help_text="0 to 1.")
    interval = IntervalSerializer(
        source="rate.interval", allow_null=True, help_text="95 % Wilson interval."
    )
    status = serializers.ChoiceField(source="rate.status", choices=[*Status])
    reason = serializers.CharField(source="rate.reason", help_text="Why the status is not ok.")


def parsed(query: type[serializers.Serializer], parameters: QueryDict) -> dict[str, Any]:
    """Return the filled-in values of a page's form; a ValidationError names invalid ones."""
    filled_in = QueryDict(mutable=True)
    for name, texts in parameters.lists():
        if filled := [text for text in texts if text.strip()]:
            filled_in.setlist(name, filled)
    serializer = query(data=filled_in)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
