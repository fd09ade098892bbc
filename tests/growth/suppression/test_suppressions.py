"""The suppression list: who is on it, and what can take them off."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.people import addresses, persons
from analytics.privacy import erasure
from common.calculations.mailbox import lower_ascii
from growth.calculations.mail.mail_events import SuppressionReason
from growth.models import Suppression
from growth.suppression import suppressions
from growth.suppression.suppressions import NoReason
from tests.growth.suppression.mails import ADA, LATER, NOON, active, record, report, topic
from tests.growth.suppression.people import proved_user

pytestmark = pytest.mark.django_db
UNSUBSCRIBED, STAFF = SuppressionReason.UNSUBSCRIBED, SuppressionReason.STAFF


def add(address=ADA, reason=UNSUBSCRIBED, **more):
    return suppressions.add([address], reason, source="test", at=NOON, **more)


def lift_all(by="ada"):
    return suppressions.lift(Suppression.objects.all(), by=by, reason="asked us to", now=LATER)


@pytest.mark.parametrize("spelling", ["ADA@Example.COM", " ada@example.com\n", "ada@example.com"])
def test_an_address_is_suppressed_in_every_case_of_ascii_letters(spelling):
    add(spelling)
    assert suppressions.suppressed_among([ADA, "Ada@example.com", "eve@example.com"]) == {
        ADA,
        "Ada@example.com",
    }


@pytest.mark.parametrize("other", ["\u212aim@example.com", "kım@example.com", "k.im@example.com"])
def test_an_address_that_only_looks_the_same_is_not_suppressed(other):
    add("kim@example.com")
    assert not suppressions.is_suppressed(other)


@given(address=st.emails(), upper=st.sets(st.integers(0, 60)))
@settings(max_examples=25, deadline=None)
def test_the_case_of_ascii_letters_never_matters(address, upper):
    Suppression.objects.all().delete()
    variant = "".join(
        letter.upper() if index in upper and letter.isascii() else letter
        for index, letter in enumerate(address)
    )
    add(address)
    assert suppressions.is_suppressed(variant)
    assert Suppression.objects.get().address == lower_ascii(address)


def test_a_topic_is_suppressed_alone_and_marketing_with_all_topics():
    tips, offers = topic("News"), topic("Offers")
    add(topic=tips)
    assert suppressions.is_suppressed(ADA, tips)
    assert not suppressions.is_suppressed(ADA, offers)
    assert not suppressions.is_suppressed(ADA)
    add("eve@example.com")
    assert suppressions.is_suppressed("eve@example.com", offers)


def test_the_same_reason_is_stored_once_and_different_reasons_stand_by_themselves():
    assert [add(), add(), add(reason=STAFF)] == [1, 0, 1]
    suppressions.lift(Suppression.objects.filter(reason="staff"), by="a", reason="b", now=LATER)
    assert suppressions.is_suppressed(ADA)


def test_lifting_needs_a_reason_and_is_kept_with_who_did_it():
    add()
    with pytest.raises(NoReason):
        suppressions.lift(Suppression.objects.all(), by="ada", reason=" ", now=LATER)
    assert lift_all() == 1
    row = Suppression.objects.get()
    assert (row.lifted_by, row.lift_reason, row.lifted_at) == ("ada", "asked us to", LATER)
    assert not suppressions.is_suppressed(ADA)
    assert add() == 1


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "soft_bounces"])
def test_p44_who_bounced_or_complained_gets_no_mail_at_all(reason):
    person = proved_user("ada", ADA)
    assert addresses.address_of(person).may_be_mailed
    add(reason=SuppressionReason(reason))
    assert not addresses.address_of(person).may_be_mailed
    assert suppressions.is_suppressed(ADA)


@pytest.mark.parametrize("reason", ["unsubscribed", "staff", "import", "erased"])
def test_who_left_marketing_still_gets_notices_about_the_account(reason):
    person = proved_user("ada", ADA)
    add(reason=SuppressionReason(reason))
    assert addresses.address_of(person).may_be_mailed
    assert suppressions.is_suppressed(ADA)


def test_p47_changed_properties_of_a_person_lift_nothing():
    person = proved_user("ada", ADA)
    add()
    proved_user("ada", ADA, unsubscribed=False, marketing="yes")
    assert persons.find_person("ada").pk == person.pk
    assert suppressions.is_suppressed(ADA)
    assert active() == [(ADA, None, "unsubscribed")]


def test_an_erased_person_stays_suppressed_by_a_hash_alone():
    person = proved_user("ada", ADA)
    record(report(response="550 5.1.1 ada@example.com unknown"))
    erasure.erase([person.pk])
    assert suppressions.is_suppressed("ADA@example.com")
    assert suppressions.undeliverable_among([ADA]) == {ADA}
    assert active() == [("", None, "erased"), ("", None, "hard_bounce")]
    assert not Suppression.objects.exclude(detail="").exists()


def test_an_erased_person_who_was_never_suppressed_gets_no_marketing_either():
    person = proved_user("ada", ADA)
    erasure.erase([person.pk])
    assert suppressions.is_suppressed(ADA)
    assert suppressions.undeliverable_among([ADA]) == set()


def test_erasing_a_person_suppresses_no_address_that_another_person_has():
    person = proved_user("ada", ADA)
    proved_user("eve", ADA)
    erasure.erase([person.pk])
    assert not suppressions.is_suppressed(ADA)


def test_a_new_secret_key_keeps_everyone_suppressed(settings):
    add()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + settings.SECRET_KEY
    assert suppressions.is_suppressed(ADA)
    assert add() == 0


def test_many_addresses_are_checked_in_two_queries(django_assert_num_queries):
    add()
    with django_assert_num_queries(1):  # the other is psycopg's own
        many = [f"p{number}@example.com" for number in range(5_000)]
        assert suppressions.suppressed_among([*many, ADA]) == {ADA}
