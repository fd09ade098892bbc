"""S03: addresses are equal whatever the case of their ASCII letters, and in no other way."""

import pytest
from django.db import connection
from django.db.models.fields.json import KeyTextTransform

from analytics.calculations.people.mentions import mentions_of
from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import ExclusionRule, Person
from analytics.people import exclusions, persons
from analytics.privacy.traces import traces_of
from common.postgres import LowerAscii
from tests.events import record

pytestmark = pytest.mark.django_db

# The address of a person, and one of a stranger that some function maps to it.
LOOKALIKES = [
    ("kim@bigco.example", "\u212aim@bigco.example"),  # Kelvin sign
    ("ian@bigco.example", "\u0130an@bigco.example"),  # I with a dot
    ("ian@bigco.example", "\u0131an@bigco.example"),  # i without one
    ("sam@bigco.example", "\u017fam@bigco.example"),  # long s
    ("pat@bigco.example", "\uff50at@bigco.example"),  # full width
    ("strasse@bigco.example", "stra\u00dfe@bigco.example"),
    ("ada@kite.example", "ada@\u212aite.example"),
]
lookalikes = pytest.mark.parametrize(("own", "other"), LOOKALIKES)


def person(distinct_id, email):
    properties = {"$set": {"email": email}}
    store([record("$set", distinct_id, properties=properties, proof=Proof.PROVED)])
    return Person.objects.get(distinct_ids=distinct_id)


@pytest.fixture
def stranger(other):
    return person("stranger", other)


@lookalikes
def test_s03_a_persons_address_is_not_a_strangers_lookalike(own, other, stranger):
    assert persons.person_with_proved_email(own) is None
    assert persons.persons_with_email(own, at_most=5) == []
    assert not persons.matching(own).exists()


@lookalikes
def test_s03_a_lookalike_takes_no_address_from_its_person(own, other, stranger):
    ada = person("ada", own)
    assert persons.person_with_proved_email(own.upper()) == ada
    assert persons.person_with_proved_email(other) == stranger
    assert persons.own_addresses([ada.pk], proved=True) == {own}


@lookalikes
def test_s03_erasing_a_lookalike_looks_for_no_trace_of_the_person(own, other, stranger):
    person("ada", own)
    assert not traces_of([stranger.pk]).mentions.in_text(f"mail to {own}")
    assert not mentions_of([], [{"email": other}]).in_text(f"mail to {own}")


@pytest.mark.parametrize("domain", ["\u212aite", "\u0131te", "\u017fite", "\uff4bite"])
def test_s03_a_lookalike_domain_is_not_excluded(domain):
    own = domain.translate({0x212A: "k", 0x131: "i", 0x17F: "s", 0xFF4B: "k"})
    exclusions.save_rule(ExclusionRule(name="Own", email_domain=f"{own}.example"))
    assert person("ada", f"ada@{own}.EXAMPLE").excluded
    assert not person("stranger", f"ada@{domain}.example").excluded


@pytest.mark.parametrize("column", ["properties", "proved"])
def test_s03_persons_are_looked_up_by_address_with_an_index(column):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    address = LowerAscii(KeyTextTransform("email", column))
    plan = Person.objects.alias(address=address).filter(address="ada@example.com").explain()
    assert "Seq Scan" not in plan
