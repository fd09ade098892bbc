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
from analytics.people import exclusions, proving, unmerging
from analytics.privacy import erasure
from common.postgres import raw_cursor
from growth.models import Referral
from growth.referrals import attribution, invitations
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
activations = st.builds(lambda who, at: record("workflow_created", who, at), people, moments)
records = st.one_of(signups, visits, properties, merges, activations)
batches = st.lists(records, min_size=1, max_size=6)
steps = st.one_of(
    batches.map(lambda records: ("store", records)),
    st.just(("derive", None)),
    people.map(lambda who: ("prove", who)),
    st.just(("unmerge", None)),
    people.map(lambda who: ("erase", who)),
    st.tuples(st.sampled_from(["exclude", "include"]), people),
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
        case _:
            persons = Person.objects.filter(distinct_ids__distinct_id=argument)
            decided = list(persons.values_list("pk", flat=True))
            exclusions.decide(decided, excluded=step == "exclude", by="staff")


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


@pytest.mark.django_db
@examples(60)
@given(st.lists(steps, min_size=1, max_size=8))
def test_what_is_stored_as_invited_equals_the_rules_after_every_step(history):
    with transaction.atomic():
        referring.create_program()
        for who in ("ada", "bob"):
            referring.create_inviter(who, who.upper(), signup_at=NOON)
        brought_at = NOON + timedelta(days=1)
        referring.store(*(referring.signup(who, brought_at, code="ADA") for who in ("cleo", "dan")))
        differing = []
        for step in history:
            take(*step)
            stored = referring.invited()
            invitations.update(raw_cursor(), None)
            differing += [step] * (stored != referring.invited())
        transaction.set_rollback(True)
    assert differing == []
