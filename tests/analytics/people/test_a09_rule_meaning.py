"""A09: exclusion rules match what people mean, in whichever way code sends it."""

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.people.rule_patterns import domain_pattern, path_of_value
from analytics.ingestion.ingest import store
from analytics.models import Exclusion, ExclusionRule
from analytics.people import exclusions
from tests.analytics.people.proof import person_with, prove
from tests.events import record
from tests.property_tests import examples

pytestmark = pytest.mark.django_db


def staff(value=True):
    return ExclusionRule(name="Staff", property_name="is_staff", property_value=value)


def ours(domain="corp.example", **more):
    return ExclusionRule(name="Ours", email_domain=domain, **more)


def excluded(rule, **properties):
    """Return whether a rule excludes a person, the same before and after the rule is saved."""
    store([record(distinct_id="before", properties={"$set": properties})])
    exclusions.save_rule(rule)
    store([record(distinct_id="after", properties={"$set": properties})])
    before, after = person_with("before").excluded, person_with("after").excluded
    assert before == after
    return after


SAME: list[tuple[Any, list[Any]]] = [
    (True, [True, "true", "True", "TRUE", " true ", 1, 1.0, "1", "1.0"]),
    (False, [False, "false", "False\n", 0, "0"]),
    (1, [1, True, "1", "true"]),
    (7, [7, 7.0, "7", " 7.00"]),
    (2.5, [2.5, "2.5", "2.50"]),
    ("internal", ["internal", "Internal", "INTERNAL ", "inTernal"]),
    ("true", [True, "True", 1]),
    ("7", [7, "7"]),
    ("Müller & Söhne", ["müller & söhne", "MÜLLER & SÖHNE"]),
    ("a.b*(c)|[d]$", ["A.B*(C)|[D]$"]),
    ("007", ["007"]),
]
DIFFERENT: list[tuple[Any, list[Any]]] = [
    (True, [False, "false", 0, "yes", "", None, 2, "truely", [True], {}]),
    (False, [True, "", None, "no", []]),
    (7, ["007", 7.1, "77", 70, "-7", True]),
    ("internal", ["internally", "an internal", ["internal"], 0]),
    ("a.c", ["abc"]),
    ("a|b", ["a"]),
    ("007", [7]),
]


@pytest.mark.parametrize(("value", "sent"), [(v, sent) for v, each in SAME for sent in each])
def test_a09_a_property_rule_matches_its_value_as_code_sends_it(value, sent):
    assert excluded(staff(value), is_staff=sent)


@pytest.mark.parametrize(("value", "sent"), [(v, sent) for v, each in DIFFERENT for sent in each])
def test_a09_a_property_rule_matches_no_other_value(value, sent):
    assert not excluded(staff(value), is_staff=sent)


def test_a09_a_property_rule_reads_no_other_property():
    assert not excluded(staff(), is_staff_=True, nested={"is_staff": True})


@pytest.mark.parametrize(
    "address",
    [
        "a@corp.example ",
        " a@corp.example",
        "A <a@corp.example>",
        '"A, Ltd." <A@Corp.Example>',
        "<a@corp.example>",
        "mailto:a@corp.example",
        "a@corp.example.",
        "a@corp.example\n",
        '"a@corp.example"',
        "a@CORP.EXAMPLE",
    ],
)
def test_a09_a_domain_rule_matches_an_address_as_people_write_it(address):
    assert excluded(ours(), email=address)


@pytest.mark.parametrize("distinct_id", ["a@corp.example ", "A <a@corp.example>", "a@Corp.Example"])
def test_a09_a_domain_rule_matches_a_distinct_id_the_same_way(distinct_id):
    store([record(distinct_id=distinct_id)])
    exclusions.save_rule(ours())
    assert person_with(distinct_id).excluded


@pytest.mark.parametrize(
    "address",
    [
        "a@corp.example.org",
        "a@notcorp.example",
        "a@corp-example",
        "a@eu.corp.example",
        "corp.example",
        "a@corp.example <eve@gmail.com>",
        "A <a@corp.example> and others",
    ],
)
def test_a09_a_domain_rule_matches_no_other_address(address):
    assert not excluded(ours(), email=address)


@pytest.mark.parametrize("domain", ["münchen.example", "MÜNCHEN.example", "xn--mnchen-3ya.example"])
@pytest.mark.parametrize("address", ["a@münchen.example", "A <a@XN--mnchen-3ya.example>"])
def test_a09_a_domain_in_unicode_is_the_same_in_punycode(domain, address):
    assert excluded(ours(domain), email=address)


def test_a09_domains_that_only_look_alike_differ():
    assert not excluded(ours("straße.example"), email="a@strasse.example")


@pytest.mark.parametrize(
    ("address", "is_below"),
    [
        ("a@corp.example", True),
        ("a@eu.corp.example", True),
        ("A <a@a.b.CORP.example>", True),
        ("a@notcorp.example", False),
        ("a@corp.example.org", False),
        ("eu.corp.example", False),
    ],
)
def test_a09_subdomains_are_matched_by_choice(address, is_below):
    assert excluded(ours(with_subdomains=True), email=address) is is_below


def test_a09_the_record_says_what_was_sent_and_not_what_the_rule_says():
    excluded(staff(), is_staff="True")
    values = Exclusion.objects.values_list("value", flat=True)
    assert set(values) == {'is_staff = "True"'}


def test_a09_a_protected_person_is_matched_by_what_is_proved_in_any_writing():
    store([record(properties={"$set": {"email": "a@else.example"}})])
    prove("ada", email="A <a@corp.example>")
    exclusions.save_rule(ours())
    assert person_with("ada").excluded


def test_a09_the_preview_and_the_list_match_the_same_persons():
    store([record(properties={"$set": {"is_staff": "TRUE"}})])
    assert exclusions.preview(staff()).matching == 1
    assert list(exclusions.matching(staff())) == [person_with("ada")]


def exists(document, path):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb @? %s::jsonpath", [json.dumps(document), path])
        return cursor.fetchone()[0]


STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@examples(60)
@given(STORABLE, STORABLE.filter(str.strip))
def test_a09_every_text_is_a_rule_that_matches_itself(name, value):
    assert exists({name: value}, path_of_value(name, value))
    assert not exists({name: f"x{value}"}, path_of_value(name, value))
    assert not exists({f"x{name}": value}, path_of_value(name, value))


@pytest.mark.parametrize("length", [10, 166, 167, 20_000])
def test_a09_a_long_value_neither_fails_nor_matches_others(length):
    path = path_of_value("note", "(a|b)*" * length)
    assert exists({"note": "(a|b)*" * length}, path)
    assert not exists({"note": "ab" * length}, path)


def test_a09_a_domain_that_is_not_a_host_name_stays_as_it_is():
    assert domain_pattern("a_b.example", with_subdomains=False).startswith(r"@(a_b\.example)")
