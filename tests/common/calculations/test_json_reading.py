import json

import pytest

from common.calculations.json_reading import DEEPEST, read_json


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "truncated"),
        (b"{} {}", "trailing"),
        (b"NaN", "malformed"),
        (b"Infinity", "malformed"),
        (b"1e999", "out of range"),
        (b"-1e999", "out of range"),
        (b"9" * 5_000, "out of range"),
        (rb'"\ud800"', "truncated"),
        (rb'{"\udc00": 1}', "surrogate"),
        (b'"\xff"', "utf-8"),
        (b'"\xed\xa0\x80"', "utf-8"),
        (rb'{"a": ["b\u0000"]}', r"U\+0000"),
        (rb'{"\u0000": 1}', r"U\+0000"),
        (rb'"\\\u0000"', r"U\+0000"),
        (b"[" * 100_000 + b"]" * 100_000, "levels"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "levels"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "levels"),
    ],
)
def test_s12_what_cannot_be_stored_is_refused_with_the_reason(body, reason):
    with pytest.raises(ValueError, match=reason):
        read_json(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEPEST + b"]" * DEEPEST,
        rb'{"a": "\ud83d\ude00", "b": ["\\u0000", "\\\\u0000"], "c": 1.5e300}',
        b'[null, true, 1, -1.5, "", {}, 123456789012345678901234567890]',
    ],
)
def test_other_values_are_those_of_the_standard_library(body):
    assert read_json(body) == json.loads(body)
