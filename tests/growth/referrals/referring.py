"""Make programs, codes, clicks and signups for tests."""

from datetime import timedelta

from analytics.calculations.records import Proof
from analytics.ingestion import ingest
from growth.models import Referral, ReferralCode, ReferralProgram
from growth.referrals import attribution
from tests.events import NOON, record

DAY = timedelta(days=1)


def create_program(**more):
    values = {"slug": "friends", "name": "Friends", "signup_url": "https://shop.example/signup"}
    return ReferralProgram.objects.create(**values | more)


def create_inviter(distinct_id="ada", code="ADA", *, signup_at=NOON - DAY, offer=None):
    """Create a person who signed up, with a code in the only program."""
    ingest.store([record("signed_up", distinct_id, signup_at)])
    offer = offer or ReferralProgram.objects.first() or create_program()
    return ReferralCode.objects.create(code=code, distinct_id_id=distinct_id, program=offer)


def signup(distinct_id="bob", at=NOON, *, code="ADA", proof=Proof.CLAIMED, **properties):
    named = {"referral_code": code} if code else {}
    return record("signed_up", distinct_id, at, properties=named | properties, proof=proof)


def visit(distinct_id="bob", at=NOON, *, code="ADA"):
    url = f"https://shop.example/signup?ref={code}"
    return record("$pageview", distinct_id, at, properties={"$current_url": url})


def store(*records):
    """Store events and derive the referrals."""
    ingest.store(records)
    attribution.update()


def rows():
    """Return every referral as it is stored."""
    names = ["distinct_id_id", "code_id", "clicked_at", "signed_up_at", "is_named", "proved"]
    return sorted(Referral.objects.values_list(*names))


def invited():
    """Return which referrals count for the viral coefficient, as it is stored."""
    return sorted(Referral.objects.values_list("pk", "inviter_signup_at", "is_accepted"), key=str)
