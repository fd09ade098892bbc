"""H6: a suppression covers the mailbox, however its address is written."""

import importlib

import pytest
from django.apps import apps

from analytics.models import Event
from analytics.people import addresses
from analytics.privacy import erasure
from common.keyed_hash import hash_keys
from growth.calculations.mail.mail_events import MailEventKind, SuppressionReason
from growth.models import MailEvent, Suppression
from growth.suppression import suppressions
from tests.growth.suppression.mails import LATER, NOON, active, record, report
from tests.growth.suppression.people import proved_user

pytestmark = pytest.mark.django_db
MIGRATION = importlib.import_module("growth.migrations.0005_suppressions_cover_mailboxes")
UNICODE, PUNYCODE = "ada@bücher.example", "ada@xn--bcher-kva.example"
CHOICES = ["unsubscribed", "complaint", "staff", "import"]


def add(*written, reason=SuppressionReason.UNSUBSCRIBED):
    return suppressions.add(written, reason, source="test", at=NOON)


@pytest.mark.parametrize("reason", CHOICES)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ada@example.com", "ada+1@example.com"),
        ("ada+1@example.com", "ada@example.com"),
        ("ada+1@example.com", "Ada+2@example.com"),
        ("a.da@gmail.com", "ada+1@googlemail.com"),
        (UNICODE, PUNYCODE),
        (PUNYCODE, "ADA+x@BÜCHER.example"),
    ],
)
def test_h6_a_choice_covers_every_spelling_of_the_mailbox(first, second, reason):
    add(first, reason=SuppressionReason(reason))
    assert suppressions.is_suppressed(second)
    assert add(second, reason=SuppressionReason(reason)) == 0
    assert Suppression.objects.count() == 1


def test_h6_spellings_in_one_import_are_one_row():
    assert add("ada+1@example.com", "ada@example.com", "ADA@example.com") == 1
    assert active() == [("ada@example.com", None, "unsubscribed")]


@pytest.mark.parametrize("kind", ["hard_bounce", "soft_bounces"])
def test_h6_the_bounce_of_an_invented_tag_keeps_no_mail_from_the_mailbox(kind):
    add("victim+invented@example.com", reason=SuppressionReason(kind))
    assert suppressions.undeliverable_among(["victim@example.com"]) == set()
    assert suppressions.undeliverable_among(["victim+invented@example.com"])


def test_h6_a_bounce_covers_both_spellings_of_the_domain():
    add(UNICODE, reason=SuppressionReason.HARD_BOUNCE)
    assert suppressions.undeliverable_among([PUNYCODE]) == {PUNYCODE}


def test_h6_a_delivery_to_a_tag_lifts_no_soft_bounces_of_another_address(settings):
    settings.PLUMBLINE_SOFT_BOUNCES = 1
    soft = MailEventKind.SOFT_BOUNCED
    record(report(soft, "ada@example.com"))
    record(report(MailEventKind.DELIVERED, "ada+1@example.com", message="m2"))
    assert active() == [("ada@example.com", None, "soft_bounces")]


def test_h6_lifting_lifts_every_spelling():
    add(UNICODE)
    rows = suppressions.active_rows_of(["ada+1@xn--bcher-kva.example"])
    suppressions.lift(rows, by="eve", reason="asked us to", now=LATER)
    assert not suppressions.is_suppressed(UNICODE)


def test_h6_erasing_a_person_leaves_the_row_about_another_address_readable():
    add("ada@example.com")
    suppressions.anonymize(["ada+1@example.com"])
    assert active() == [("ada@example.com", None, "unsubscribed")]
    suppressions.anonymize(["ADA@example.com"])
    assert active() == [("", None, "unsubscribed")]


def test_h6_events_of_a_person_are_erased_whatever_spelling_the_provider_reports():
    person = proved_user("ada", UNICODE)
    record(report(MailEventKind.OPENED, PUNYCODE))
    erasure.erase([person.pk])
    assert not MailEvent.objects.exists()


def test_h6_events_are_on_the_timeline_whatever_spelling_the_provider_reports():
    person = proved_user("ada", UNICODE)
    record(report(MailEventKind.OPENED, PUNYCODE))
    assert Event.objects.filter(person_id=person.pk, event="email_opened").exists()


def test_h6_erasing_a_person_under_a_tag_suppresses_no_other_address_of_the_mailbox():
    person = proved_user("mallory", "ada+1@example.com")
    erasure.erase([person.pk])
    assert not suppressions.is_suppressed("ada@example.com")
    assert suppressions.is_suppressed("ada+1@example.com")


def test_h6_a_complaint_stops_mail_to_every_spelling():
    person = proved_user("ada", "ada+1@example.com")
    add("ada@example.com", reason=SuppressionReason.COMPLAINT)
    assert not addresses.address_of(person).may_be_mailed


def _as_before():
    """Store rows as the version before hashed them: by the address as written."""
    key = hash_keys("suppressed-addresses")[0]
    for written, reason in (
        ("ada+1@example.com", "unsubscribed"),
        ("ada@example.com", "unsubscribed"),
        (UNICODE, "staff"),
        ("eve+1@example.com", "hard_bounce"),
    ):
        Suppression.objects.create(
            hash=key.digest(written),
            key=key.fingerprint,
            address=written,
            reason=reason,
            source="test",
            at=NOON,
        )


def test_h6_the_migration_covers_mailboxes_and_keeps_every_row():
    _as_before()
    MIGRATION._cover_mailboxes(apps, None)
    assert active() == [
        ("ada@example.com", None, "unsubscribed"),
        (PUNYCODE, None, "staff"),
        ("eve+1@example.com", None, "hard_bounce"),
    ]
    assert suppressions.is_suppressed("ada+2@example.com")
    assert suppressions.is_suppressed("ada+1@bücher.example")
    assert not suppressions.is_suppressed("eve@example.com")
    assert Suppression.objects.count() == 4


def test_h6_the_migration_can_be_undone():
    _as_before()
    MIGRATION._cover_mailboxes(apps, None)
    MIGRATION._cover_addresses(apps, None)
    assert len(active()) == 3
    key = hash_keys("suppressed-addresses")[0]
    assert Suppression.objects.filter(hash=key.digest("ada@example.com")).exists()


def test_h6_hashes_of_earlier_versions_are_recognized():
    _as_before()
    Suppression.objects.update(address="")
    assert suppressions.is_suppressed(UNICODE)
    assert suppressions.is_suppressed("ADA+1@example.com")
