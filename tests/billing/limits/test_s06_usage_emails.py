"""S06: usage notices keep within the caps; what is over them waits or is dropped, visibly."""

from datetime import timedelta

import pytest

from analytics.models import DistinctId, ProjectKey
from billing.limits import usage_notices
from billing.models import StripeCustomer, UsageNotice
from billing.stripe import gateway
from operational.health.system_health import system_health
from tests.billing.limited_usage import NOW, claim, identify, limit, price, ran

pytestmark = pytest.mark.django_db

Email = UsageNotice.Email


@pytest.fixture(autouse=True)
def limited(mail_server, settings):
    settings.PLUMBLINE_EMAILS_PER_ADDRESS, settings.PLUMBLINE_EMAILS_PER_HOUR = 2, 3
    limit(10)


def outcomes():
    rows = UsageNotice.objects.order_by("distinct_id")
    return list(rows.values_list("email", flat=True))


def heavy(number, email, *, meters=1):
    identify(email, f"person{number}")
    for event in ("workflow_run", "suggestion_applied", "workflow_created")[:meters]:
        ran(8, person=f"person{number}", event=event)


def test_s06_p49_two_persons_with_one_address_get_one_notice(mail_server):
    heavy(0, "ada@example.com")
    heavy(1, "ADA@example.com")
    usage_notices.notify_all(now=NOW)
    assert sorted(outcomes()) == [Email.DUPLICATE, Email.SENT]
    assert len(mail_server.messages) == 1


def test_s06_other_notices_to_one_address_are_sent_up_to_the_cap_of_a_day(mail_server):
    for meter in ("suggestions", "workflows"):
        limit(10, meter=meter)
    heavy(0, "ada@example.com", meters=3)
    usage_notices.notify_all(now=NOW)
    assert sorted(outcomes()) == [Email.CAPPED, Email.SENT, Email.SENT]
    assert len(mail_server.messages) == 2


def test_s06_what_is_over_the_cap_of_the_hour_waits_and_is_sent_later(mail_server):
    for number in range(5):
        heavy(number, f"person{number}@example.com")
    usage_notices.notify_all(now=NOW)
    assert outcomes() == [*[Email.SENT] * 3, *[Email.WAITING] * 2]
    usage_notices.notify_all(now=NOW + timedelta(minutes=59))
    assert len(mail_server.messages) == 3
    usage_notices.notify_all(now=NOW + timedelta(hours=1))
    assert outcomes() == [Email.SENT] * 5
    assert len(mail_server.messages) == 5


def test_s06_waiting_for_the_next_hour_uses_up_no_attempt(mail_server):
    for number in range(4):
        heavy(number, f"person{number}@example.com")
    for minute in range(20):
        usage_notices.notify_all(now=NOW + timedelta(minutes=minute))
    assert UsageNotice.objects.get(email=Email.WAITING).attempts == 0


def test_s06_a_refused_e_mail_counts_for_no_cap_and_is_sent_later(mail_server):
    heavy(0, "ada@example.com")
    mail_server.refusal = "451 try again"
    for _ in range(3):
        usage_notices.notify_all(now=NOW)
    mail_server.refusal = ""
    usage_notices.notify_all(now=NOW)
    assert (outcomes(), len(mail_server.messages)) == ([Email.SENT], 1)


def test_s06_a_reached_cap_is_part_of_the_systems_health(mail_server):
    for number in range(3):
        heavy(number, f"person{number}@example.com")
    usage_notices.notify_all(now=NOW)
    components = {row.name: row for row in system_health(NOW).components}
    assert "cap of 3 e-mails an hour" in components["mail caps"].detail


class TestOthersAddresses:
    """Addresses that a person has not proved may be other persons'."""

    @pytest.fixture
    def key(self):
        return ProjectKey.objects.create(name="Web", mail_claimed_addresses=True)

    def claims(self, key, email, person="dupa", *, event="workflow_run"):
        """Have a person claim an address and reach a limit's warning."""
        claim(email, person, key=key.pk)
        ran(8, person=person, event=event)

    def pays_with(self, email, person):
        stripe_json = {"id": "cus_1", "object": "customer", "email": email, "created": 1}
        gateway.store(stripe_json, as_of=gateway.moment())
        StripeCustomer.objects.create(customer_id="cus_1", distinct_id_id=person)

    def test_s06_a_claim_keeps_no_notice_from_the_person_of_the_address(self, key, mail_server):
        self.claims(key, "ada@example.com")
        usage_notices.notify_all(now=NOW)
        heavy(0, "ada@example.com")
        usage_notices.notify_all(now=NOW)
        assert outcomes() == [Email.SENT, Email.SENT]

    def test_s06_an_address_at_stripe_keeps_no_notice_from_its_person(self, mail_server):
        ran(8, person="dupa")
        self.pays_with("ada@example.com", "dupa")
        usage_notices.notify_all(now=NOW)
        heavy(0, "ada@example.com")
        usage_notices.notify_all(now=NOW)
        assert outcomes() == [Email.SENT, Email.SENT]

    def test_s06_claims_are_duplicates_of_each_other_and_of_what_was_sent(self, key, mail_server):
        heavy(0, "ada@example.com")
        usage_notices.notify_all(now=NOW)
        for name in ("dupa", "dupb"):
            self.claims(key, "ada@example.com", name)
        usage_notices.notify_all(now=NOW)
        assert sorted(outcomes()) == [Email.DUPLICATE, Email.DUPLICATE, Email.SENT]

    def test_s06_claims_leave_half_of_the_mailboxs_cap(self, key, mail_server):
        for meter in ("suggestions", "workflows"):
            limit(10, meter=meter)
        for event in ("suggestion_applied", "workflow_created"):
            self.claims(key, "ada@example.com", event, event=event)
        usage_notices.notify_all(now=NOW)
        heavy(0, "ada@example.com")
        usage_notices.notify_all(now=NOW)
        rows = dict(UsageNotice.objects.values_list("distinct_id", "email"))
        assert sorted(rows.values()) == [Email.CAPPED, Email.SENT, Email.SENT]
        assert rows["person0"] == Email.SENT

    def test_s06_claims_leave_half_of_the_hours_cap(self, key, mail_server):
        for number in range(5):
            self.claims(key, f"dup{number}@example.com", f"dup{number}")
        usage_notices.notify_all(now=NOW)
        heavy(0, "ada@example.com")
        usage_notices.notify_all(now=NOW)
        assert outcomes() == [Email.SENT] * 2 + [Email.WAITING] * 3 + [Email.SENT]

    @pytest.mark.parametrize("source", ["claimed", "stripe", "proved by two"])
    def test_s06_a_mail_that_others_may_read_sells_nothing(self, key, mail_server, paying, source):
        price("price_pro")
        if source == "claimed":
            self.claims(key, "ada@example.com")
        else:
            ran(8, person="dupa")
        if source == "stripe":
            self.pays_with("ada@example.com", "dupa")
        if source == "proved by two":
            identify("ada@example.com", "ada")
            identify("ADA@example.com", "dupa")
        DistinctId.objects.update(proved=True)
        usage_notices.notify_all(now=NOW)
        assert "https://checkout.example" not in mail_server.text() + mail_server.html()
        assert "log in to the product" in mail_server.text()


@pytest.mark.parametrize(
    "address",
    [
        '"quota"@tgt.example',
        '"q\\uota"@tgt.example',
        '"quota+1"@tgt.example',
        "quota@[127.0.0.1]",
        "\u212aim@tgt.example",
        "\u017fam@tgt.example",
    ],
)
def test_s06_an_address_that_hides_its_mailbox_gets_no_mail(mail_server, address):
    heavy(0, address)
    usage_notices.notify_all(now=NOW)
    assert (outcomes(), mail_server.messages) == ([Email.NO_ADDRESS], [])
