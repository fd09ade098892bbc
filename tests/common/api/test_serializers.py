"""A serializer of a dataclass has its fields, with their types and descriptions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any

from rest_framework import serializers

from common.api.serializers import as_json, serializer_of


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Part:
    color: Color
    weight: Annotated[float, "In grams"] | None


@dataclass(frozen=True)
class Whole:
    """A thing of parts."""

    parts: tuple[Part, ...]
    first: Part | None
    made: date
    sold_at: datetime
    prices: Mapping[str, int]
    names: Annotated[tuple[str, ...], "Oldest first"]


def test_values_are_written_as_json_has_them():
    whole = Whole(
        (Part(Color.RED, 1.5),), None, date(2026, 4, 1), datetime(2026, 4, 1, 9, tzinfo=UTC),
        {"usd": 3}, ("a", "b"),
    )  # fmt: skip
    assert as_json(whole) == {
        "parts": ({"color": "red", "weight": 1.5},),
        "first": None,
        "made": "2026-04-01",
        "sold_at": "2026-04-01T09:00:00Z",
        "prices": {"usd": 3},
        "names": ("a", "b"),
    }


def test_the_values_are_those_that_the_schema_describes():
    whole = Whole(
        (Part(Color.BLUE, None),), Part(Color.RED, 1.5), date.min, datetime.max.replace(tzinfo=UTC),
        {}, ("a",),
    )  # fmt: skip
    assert json.dumps(as_json(whole)) == json.dumps(serializer_of(Whole)(whole).data)


def test_descriptions_choices_and_null_are_those_of_the_type():
    fields: Any = serializer_of(Part)().fields
    assert isinstance(fields["weight"], serializers.FloatField)
    assert (fields["weight"].help_text, fields["weight"].allow_null) == ("In grams", True)
    assert (list(fields["color"].choices), fields["color"].allow_null) == (["red", "blue"], False)
    assert serializer_of(Whole)().fields["names"].help_text == "Oldest first"


def test_a_serializer_is_made_once_and_named_after_its_type():
    assert serializer_of(Part) is serializer_of(Part)
    assert (serializer_of(Whole).__name__, serializer_of(Whole).__doc__) == (
        "WholeSerializer",
        "A thing of parts.",
    )


@dataclass(frozen=True)
class Amount:
    amount: int | float | None
    days: list[date]


def test_whole_numbers_stay_whole():
    answer = as_json(Amount(100, [date(2026, 4, 1)]))
    assert answer == {"amount": 100, "days": ["2026-04-01"]}
    assert isinstance(answer["amount"], int)
    assert as_json(Amount(0.5, []))["amount"] == 0.5
    assert as_json(Amount(None, []))["amount"] is None


def test_a_dataclass_without_a_docstring_has_no_description():
    assert serializer_of(Amount).__doc__ is None
