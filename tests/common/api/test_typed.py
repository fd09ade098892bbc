import json
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from common.api.typed import serializer_of, typed_response


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    weight: float | None


class Thing(Struct, frozen=True, rename={"class_": "class"}):
    class_: Annotated[str, Meta(description="What it is")]
    day: date
    colour: Colour | None
    parts: tuple[Part, ...]
    tags: list[str]
    amounts: dict[str, int]
    main_part: Part | None = None


THING = Thing("toy", date(2026, 3, 1), Colour.RED, (Part("wheel", None),), ["new"], {"usd": 5})


def as_sent(answer):
    return json.loads(JSONRenderer().render(typed_response(answer).data))


def test_an_answer_is_plain_json():
    assert as_sent(THING) == {
        "class": "toy",
        "day": "2026-03-01",
        "colour": "red",
        "parts": [{"name": "wheel", "weight": None}],
        "tags": ["new"],
        "amounts": {"usd": 5},
        "main_part": None,
    }


def test_its_serializer_reads_what_the_answer_gives():
    serializer = serializer_of(Thing)(data=as_sent(THING))
    assert serializer.is_valid(), serializer.errors
    assert serializer.validated_data["parts"] == [{"name": "wheel", "weight": None}]


def test_fields_have_the_types_and_help_texts_of_the_struct():
    fields: Any = serializer_of(Thing)().fields
    assert fields["class"].help_text == "What it is"
    assert isinstance(fields["day"], serializers.DateField)
    assert (list(fields["colour"].choices), fields["colour"].allow_null) == (["red", "blue"], True)
    assert isinstance(fields["parts"], serializers.ListSerializer)
    assert fields["main_part"].allow_null
    assert [*fields["main_part"].fields] == ["name", "weight"]


def test_a_type_has_one_serializer():
    assert serializer_of(Part) is serializer_of(Part)


def test_a_type_without_fields_is_refused():
    with pytest.raises(TypeError):
        serializer_of(str)
