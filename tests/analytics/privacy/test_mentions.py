"""S08: who is named in a text, and what is not mistaken for an id."""

import pytest

from analytics.calculations.people.mentions import ids_in, mentions_of

ADA = mentions_of(
    ["user-17-ada", "42", "anonymous"],
    [{"email": "Ada@Example.com", "name": "Ada Lovelace", "plan_name": "Business", "n": 7}],
)


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com",
        "Mail to ADA@example.com.",
        "https://example.com/?u=ada%40example.com&x=1",
        "user-17-ada has 3 events",
        "ada@example.com.csv.gz",
        '{"owner": "user-17-ada"}',
    ],
)
def test_s08_a_text_that_names_the_person_is_recognized(text):
    assert ADA.in_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "mada@example.com",
        "ada@example.com.au",
        "x.ada@example.com",
        "42 events",
        "user-17-adam",
        "anonymous",
        "Ada Lovelace",
        "Business",
    ],
)
def test_s08_a_text_that_names_another_person_is_kept(text):
    assert not ADA.in_text(text)
    assert ADA.cleaned_text(text) == text


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ({"owner_id": 42, "seats": 42}, {"owner_id": None, "seats": 42}),
        ({"userId": "42", "note": "42"}, {"userId": None, "note": "42"}),
        ({"members": ["user-17-ada", "ben"]}, {"members": ["ben"]}),
        ({"user-17-ada": True, "ben": True}, {"ben": True}),
        ({"owner": "ada@example.com", "by": "Ada Lovelace"}, {"owner": None, "by": None}),
        ({"by": "Ada Lovelace", "plan": "Business"}, {"by": "Ada Lovelace", "plan": "Business"}),
        ({"distinct_id": "anonymous"}, {"distinct_id": "anonymous"}),
    ],
)
def test_s08_json_loses_what_names_the_person(value, cleaned):
    assert ADA.cleaned_json(value) == cleaned


def test_s08_a_text_loses_address_and_name():
    assert ADA.cleaned_text("Ada Lovelace <ada@example.com>") == "(erased) <(erased)>"


@pytest.mark.parametrize(
    ("payload", "ids"),
    [
        (b'{"distinct_id": "7", "n": "8", "m": 9}', {"7"}),
        (b'{"distinct_id": 7, "properties": {"alias": "xy"', {"7", "xy"}),
        (b'"user-17-ada', {"user-17-ada"}),
    ],
)
def test_s08_ids_are_read_from_payloads_that_are_not_json(payload, ids):
    assert ids_in(payload) & {"7", "8", "9", "xy", "user-17-ada"} == ids
