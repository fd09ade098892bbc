"""S06: e-mails to persons are capped, exactly and for all workers together."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from analytics.calculations.records import Proof
from analytics.ingestion import ingest
from analytics.models import MailClaim, Person
from analytics.people import mail_caps, mail_health
from analytics.people.mail_caps import MailVerdict
from analytics.privacy import erasure
from tests.events import NOON as NOW
from tests.events import record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def caps(settings):
    settings.PLUMBLINE_EMAILS_PER_ADDRESS, settings.PLUMBLINE_EMAILS_PER_HOUR = 2, 5


def claimed(address, key, after=timedelta()):
    return mail_caps.claim(address, key, now=NOW + after).name


def test_s06_a_mailbox_gets_as_many_e_mails_a_day_as_the_cap():
    verdicts = [claimed(f"ada+{n}@example.com", f"notice {n}") for n in range(3)]
    assert verdicts == ["GRANTED", "GRANTED", "MAILBOX_FULL"]
    assert claimed("ada@example.com", "notice 3", timedelta(days=1)) == "GRANTED"


def test_s06_a_mailbox_gets_the_same_e_mail_once():
    assert claimed("ada@example.com", "notice") == "GRANTED"
    assert claimed("ADA@example.com", "notice", timedelta(days=3)) == "DUPLICATE"
    assert claimed("ben@example.com", "notice") == "GRANTED"


def test_s06_all_mailboxes_together_get_as_many_an_hour_as_the_cap():
    verdicts = [claimed(f"person{n}@example.com", "notice") for n in range(6)]
    assert verdicts == [*["GRANTED"] * 5, "HOUR_FULL"]
    assert claimed("person5@example.com", "notice", timedelta(hours=1)) == "GRANTED"


def test_s06_what_could_not_be_sent_counts_for_no_cap():
    for _ in range(9):
        assert claimed("ada@example.com", "notice") == "GRANTED"
        mail_caps.release("ada@example.com", "notice")


def test_s06_claims_hold_no_address_and_are_deleted_in_time():
    claimed("ada@example.com", "notice")
    assert "ada" not in str(MailClaim.objects.values().get())
    mail_caps.delete_old(NOW + mail_caps.KEPT)
    assert MailClaim.objects.exists()
    mail_caps.delete_old(NOW + mail_caps.KEPT + timedelta(seconds=1))
    assert not MailClaim.objects.exists()


def test_s06_erasing_a_person_erases_the_claims_of_their_address():
    properties = {"$set": {"email": "Ada@example.com"}}
    ingest.store([record("$identify", "ada", properties=properties, proof=Proof.PROVED)])
    claimed("ada@example.com", "notice")
    claimed("ben@example.com", "notice")
    erasure.erase([Person.objects.get().pk])
    assert MailClaim.objects.count() == 1


def test_s06_staff_hear_of_a_reached_cap():
    [before] = mail_health.caps(NOW)
    for n in range(2):
        claimed("ada@example.com", f"notice {n}")
    [address] = mail_health.caps(NOW)
    for n in range(3):
        claimed(f"person{n}@example.com", "notice")
    [hour] = mail_health.caps(NOW)
    assert [component.health for component in (before, address, hour)] == ["ok", *["warning"] * 2]
    assert "1 address got 2 e-mails within a day" in address.detail
    assert "cap of 5 e-mails an hour" in hour.detail


@pytest.mark.django_db(transaction=True)
def test_s06_parallel_workers_never_exceed_a_cap():
    def work(number):
        try:
            return mail_caps.claim(f"person{number % 4}@example.com", str(number // 8), now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as workers:
        verdicts = Counter(workers.map(work, range(64)))
    assert verdicts[MailVerdict.GRANTED] == 5
    assert max(Counter(MailClaim.objects.values_list("mailbox", flat=True)).values()) <= 2
