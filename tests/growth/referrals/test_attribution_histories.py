"""In any order of events and changes, what is derived step by step equals what is rebuilt."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.records import Proof
from analytics.ingestion import ingest
from analytics.models import Person, PersonMerge
from analytics.people import proving, unmerging
from analytics.privacy import erasure
from growth.models import Referral
from growth.referrals import attribution
from tests.events import NOON, record
from tests.growth.referrals import referring
from tests.property_tests import examples

IDS = ["ada", "bob", "cleo", "dan"]
CODES = ["ADA", "BOB", "GONE"]
PROOFS = st.sampled_from([Proof.CLAIMED, Proof.PROVED])
people, codes = st.sampled_from(IDS), st.sampled_from([*CODES, ""])
moments = st.integers(-40, 40).map(lambda day: NOON + timedelta(days=day))

signups = st.builds(
    lambda who, at, code, proof: referring.signup(who, at, code=code, proof=proof),
    *(people, moments, codes, PROOFS),
)
visits = st.builds(
    lambda who, at, code: referring.visit(who, at, code=code), people, moments, codes
)
properties = st.builds(
    lambda who, at, code, proof: record(
        "$set", who, at, properties={"$set": {"referral_code": code}}, proof=proof
    ),
    *(people, moments, codes, PROOFS),
)
merges = st.builds(
    lambda who, other, at, proof: record("$identify", who, at, other_id=other, proof=proof),
    *(people, people, moments, PROOFS),
)
batches = st.lists(st.one_of(signups, visits, properties, merges), min_size=1, max_size=6)
steps = st.one_of(
    batches.map(lambda records: ("store", records)),
    st.just(("derive", None)),
    people.map(lambda who: ("prove", who)),
    st.just(("unmerge", None)),
    people.map(lambda who: ("erase", who)),
)


def take(step, argument):
    match step:
        case "store":
            ingest.store(argument)
        case "derive":
            attribution.update()
        case "prove":
            proving.prove(argument)
        case "unmerge":
            undo_latest_merge()
        case "erase":
            erase(argument)


def undo_latest_merge():
    merge = PersonMerge.objects.filter(result=PersonMerge.Result.MERGED).order_by("-pk").first()
    if merge is not None:
        with suppress(unmerging.CannotUndo):
            unmerging.undo(merge.pk, by="staff", now=NOON)


def erase(distinct_id):
    persons = Person.objects.filter(distinct_ids__distinct_id=distinct_id)
    erasure.erase(list(persons.values_list("pk", flat=True)))


@pytest.mark.django_db
@examples(60)
@given(st.lists(steps, min_size=1, max_size=8))
def test_step_by_step_equals_rebuilt(history):
    with transaction.atomic():
        offer = referring.create_program()
        for who in ("ada", "bob"):
            referring.create_inviter(who, who.upper(), signup_at=NOON, offer=offer)
        for step, argument in history:
            take(step, argument)
        attribution.update()
        derived = referring.rows()
        Referral.objects.all().delete()
        attribution.rebuild()
        rebuilt = referring.rows()
        transaction.set_rollback(True)
    assert derived == rebuilt
