"""Of large properties the short ones are stored once more, within a bound."""

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.event_properties import LARGEST_READ, short_properties


def short(properties):
    return json.loads(short_properties(msgspec.json.encode(properties)))


def test_a_long_value_is_dropped_and_short_ones_of_any_type_stay():
    values = {"tokens": 0.001, "model": "large", "$groups": {"company": "acme"}, "cached": None}
    assert short({"prompt": "x" * 1_000_000} | values) == values


def test_an_address_is_short_enough():
    values = {"$current_url": f"https://example.com/{'x' * 1_900}?ref=ADA"}
    assert short(values | {"html": "x" * 3_000}) == values


def test_a_number_is_read_however_many_longer_values_there_are():
    many = {f"text {n}": "x" * 100 for n in range(10_000)}
    assert short(many | {"tokens": 12})["tokens"] == 12


@given(
    st.dictionaries(
        st.text(max_size=9), st.integers(0, 3_000).map(lambda size: "é" * size), max_size=30
    )
)
def test_short_properties_are_bounded_and_a_part_of_all(properties):
    kept = short(properties)
    assert kept.items() <= properties.items()
    size = sum(len(name.encode()) + len(msgspec.json.encode(kept[name])) for name in kept)
    assert size <= LARGEST_READ
