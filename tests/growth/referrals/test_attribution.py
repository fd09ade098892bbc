"""Who came with whose code, from events, properties and merges."""

import msgspec
import pytest

from analytics.calculations.records import Proof
from analytics.ingestion import ingest
from analytics.models import Event, Person, PersonMerge
from analytics.people import persons, proving, unmerging
from analytics.privacy import erasure
from growth.models import Referral, ReferralCheck, ReferralCode, ReferralProgram
from growth.referrals import attribution, checks, referred
from tests.events import NOON, record
from tests.growth.referrals import referring
from tests.growth.referrals.referring import DAY, rows, signup, store, visit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("inviter")]


def counted():
    return sorted(referred.signed_up().values_list("distinct_id_id", flat=True))


def test_a_signup_that_names_a_code_counts_and_is_its_own_click():
    store(signup())
    assert rows() == [("bob", "ADA", NOON, NOON, True, False)]
    assert counted() == ["bob"]


def test_the_property_ref_names_a_code_too_in_any_case():
    store(signup(code="", ref=" ada "))
    assert counted() == ["bob"]


@pytest.mark.parametrize("naming", [signup(), visit()])
def test_s04_of_large_events_only_the_short_properties_are_read(naming):
    text = {"text": "x" * 100_000}
    properties = msgspec.json.encode(msgspec.json.decode(naming.properties) | text)
    ingest.store([msgspec.structs.replace(naming, properties=properties)])
    Event.objects.filter(distinct_id="bob").update(properties={})
    attribution.update()
    assert [row[:2] for row in rows()] == [("bob", "ADA")]


def test_the_property_can_have_another_name(settings):
    settings.PLUMBLINE_REFERRAL_PROPERTY = "invited_by"
    store(signup(code="", invited_by="ADA"))
    assert counted() == ["bob"]


def test_the_property_of_the_person_names_a_code_at_the_signup():
    store(signup(code="", **{"$set": {"referral_code": "ADA"}}))
    assert counted() == ["bob"]


def test_a_code_that_is_claimed_after_the_signup_does_not_count():
    claim = record("$set", "bob", NOON + DAY, properties={"$set": {"referral_code": "ADA"}})
    store(signup(code=""), claim)
    assert rows() == []


def test_a_code_that_your_backend_sets_after_the_signup_counts():
    late = {"$set": {"referral_code": "ADA"}}
    store(signup(code=""), record("$set", "bob", NOON + DAY, properties=late, proof=Proof.PROVED))
    assert rows() == [("bob", "ADA", NOON, NOON, True, True)]


def test_a_visit_alone_is_a_click_and_no_signup():
    store(visit())
    assert rows() == [("bob", "ADA", NOON, None, False, False)]
    assert (counted(), referred.clicked().count()) == ([], 1)


def test_an_anonymous_visitor_without_a_profile_is_a_click():
    url = {"$current_url": "https://shop.example/?ref=ADA"}
    store(record("$pageview", "visitor-1", NOON, properties=url, profile=False))
    assert referred.clicked().count() == 1


def test_a_signup_that_names_no_code_after_a_visit_does_not_count():
    store(visit(), signup(at=NOON + DAY, code=""))
    assert counted() == []


@pytest.mark.parametrize(("days", "counts"), [(30, True), (31, False)])
def test_a_signup_counts_within_30_days_of_the_click(days, counts):
    store(visit(), signup(at=NOON + days * DAY))
    assert counted() == ["bob"] * counts


def test_the_latest_click_before_the_signup_counts():
    store(visit(), visit(at=NOON + 20 * DAY), signup(at=NOON + 40 * DAY))
    assert rows()[0][2] == NOON + 20 * DAY
    assert counted() == ["bob"]


def test_a_person_who_activated_before_the_click_existed_before():
    store(record("workflow_created", "bob", NOON - DAY), visit(), signup())
    assert counted() == []


def test_a_person_who_signed_up_before_the_visit_is_not_referred():
    store(signup(code=""), visit(at=NOON + DAY), signup(at=NOON + 2 * DAY))
    assert rows() == []


def test_an_unknown_code_refers_no_one():
    store(signup(code="UNKNOWN"))
    assert rows() == []


@pytest.mark.parametrize("code", ["x", "a b c", "'; --", "A" * 41, "é" * 5])
def test_what_cannot_be_a_code_refers_no_one(code):
    store(signup(code=code))
    assert rows() == []


@pytest.mark.parametrize("value", [7, None, ["ADA"], {"a": 1}, True, 1e300])
def test_a_code_that_is_not_a_text_refers_no_one(value):
    store(signup(code="", referral_code=value, **{"$set": {"referral_code": value}}))
    assert rows() == []


def test_the_visit_of_an_anonymous_person_counts_once_it_is_identified():
    identify = record("$identify", "bob", NOON + DAY, other_id="device-1")
    store(visit("device-1"))
    store(identify, signup(at=NOON + DAY))
    assert rows() == [("bob", "ADA", NOON, NOON + DAY, True, False)]


def test_a_late_signup_without_a_code_takes_the_referral_away():
    store(signup())
    store(signup(at=NOON - DAY, code=""))
    assert counted() == []


def test_a_late_signup_with_another_code_moves_the_referral():
    referring.create_inviter("eve", "EVE")
    store(signup())
    store(signup(at=NOON - DAY / 2, code="EVE"))
    assert [row[:2] for row in rows()] == [("bob", "EVE")]


def test_who_invites_themselves_does_not_count_even_after_a_merge():
    store(signup())
    store(record("$merge_dangerously", "ada", NOON + DAY, other_id="bob", proof=Proof.PROVED))
    assert persons.ids_of(["ada", "bob"]).keys() == {"ada", "bob"}
    assert (counted(), referred.clicked().count()) == ([], 0)


@pytest.mark.parametrize("who", ["ada", "bob"])
def test_referrals_of_excluded_persons_do_not_count(who):
    store(signup())
    Person.objects.filter(distinct_ids__distinct_id=who).update(excluded=True)
    assert counted() == []


@pytest.mark.parametrize("number", [1, checks.FEW + 1])
def test_without_a_program_nothing_is_noted(number):
    Referral.objects.all().delete()
    ReferralCheck.objects.all().delete()
    ReferralCode.objects.all().delete()
    ReferralProgram.objects.all().delete()
    ingest.store([signup(f"friend-{index}") for index in range(number)])
    assert not ReferralCheck.objects.exists()


def test_a_rebuild_finds_what_came_before_the_program():
    store(signup())
    Referral.objects.all().delete()
    assert attribution.rebuild() == 1
    assert counted() == ["bob"]


def test_nothing_is_left_to_check_after_an_update():
    store(signup(), visit("cleo"))
    assert not ReferralCheck.objects.exists()
    assert attribution.update() == 0


def test_undoing_a_merge_takes_the_click_away_again():
    identify = record("$identify", "bob", NOON + DAY, other_id="device-1")
    store(visit("device-1"), record("used", "bob", NOON))
    store(identify, signup(at=NOON + DAY))
    merge = PersonMerge.objects.get()
    unmerging.undo(merge.pk, by="staff", now=NOON)
    attribution.update()
    assert [row[:3] for row in rows()] == [
        ("bob", "ADA", NOON + DAY),
        ("device-1", "ADA", NOON),
    ]


def test_a_split_id_takes_its_click_along():
    identify = record("$identify", "bob", NOON + DAY, other_id="cleo")
    store(visit("cleo"), identify, signup(at=NOON + DAY))
    for who in ("bob", "cleo"):
        proving.prove(who)
    attribution.update()
    assert [row[:3] for row in rows()] == [("bob", "ADA", NOON + DAY), ("cleo", "ADA", NOON)]


def test_erasing_the_inviter_erases_their_referrals():
    store(signup())
    erasure.erase([persons.ids_of(["ada"])["ada"]])
    assert rows() == []


@pytest.mark.parametrize("number", [1, checks.FEW + 1])
def test_persons_are_noted_in_small_and_in_large_batches(number):
    ingest.store([signup(f"friend-{index}") for index in range(number)])
    assert ReferralCheck.objects.count() == number
