"""S01: usage notices go only to proved addresses."""

import pytest
from django.utils import timezone

from analytics.models import DistinctId, Person, ProjectKey
from analytics.people import addresses
from billing.limits import usage_emails, usage_notices
from billing.models import StripeCustomer, UsageNotice
from billing.stripe import gateway
from growth.calculations.mail.mail_events import SuppressionReason
from growth.suppression import suppressions
from tests.billing.admin_pages import text
from tests.billing.limited_usage import NOW, ada, claim, identify, limit, notify, price, ran

pytestmark = [pytest.mark.django_db]

Email = UsageNotice.Email


@pytest.fixture(autouse=True)
def limited(mail_server):
    limit(10)


@pytest.fixture
def key():
    return ProjectKey.objects.create(name="Web", mail_claimed_addresses=True)


def customer(email, customer_id="cus_1", *, created=1, **more):
    stripe_json = {"id": customer_id, "object": "customer", "email": email, "created": created}
    gateway.store(stripe_json | more, as_of=gateway.moment())
    StripeCustomer.objects.get_or_create(customer_id=customer_id, distinct_id_id="ada")


def outcome(mail_server):
    """Notify ada; return the outcome and the recipients."""
    ran(8)
    notify()
    recipients = [address for mail in mail_server.messages for address in mail.recipients]
    return UsageNotice.objects.get().email, recipients


def test_s01_a_claimed_address_gets_no_mail(mail_server):
    claim("mallory@example.com")
    assert outcome(mail_server) == (Email.UNPROVED, [])


@pytest.mark.parametrize(
    ("reason", "email", "recipients"),
    [
        (SuppressionReason.COMPLAINT, Email.SUPPRESSED, []),
        (SuppressionReason.HARD_BOUNCE, Email.SUPPRESSED, []),
        (SuppressionReason.UNSUBSCRIBED, Email.SENT, ["ada@example.com"]),  # from marketing
    ],
)
def test_p44_a_notice_is_not_sent_to_who_bounced_or_complained(
    mail_server, reason, email, recipients
):
    identify("ada@example.com")
    suppressions.add(["ADA@example.com"], reason, source="test", at=NOW)
    assert outcome(mail_server) == (email, recipients)


def test_s01_a_claim_does_not_redirect_mail_from_a_proved_address(mail_server):
    identify("ada@example.com")
    Person.objects.update(claimed={"email": "mallory@example.com"})
    assert outcome(mail_server) == (Email.SENT, ["ada@example.com"])


def test_s01_a_claim_does_not_redirect_mail_from_a_customers_address(mail_server):
    claim("mallory@example.com")
    customer("ada@example.com")
    assert outcome(mail_server) == (Email.SENT, ["ada@example.com"])


def test_s01_a_proved_address_comes_before_the_customers(mail_server):
    identify("ada@example.com")
    customer("billing@example.com")
    assert outcome(mail_server) == (Email.SENT, ["ada@example.com"])


def test_s01_of_several_customers_the_newest_with_an_address_decides(mail_server):
    claim("mallory@example.com")
    customer("old@example.com")
    customer("new@example.com", "cus_2", created=2)
    customer(None, "cus_3", created=3)
    assert outcome(mail_server) == (Email.SENT, ["new@example.com"])


def test_s01_a_deleted_customers_address_gets_no_mail(mail_server):
    claim("mallory@example.com")
    customer("ada@example.com", deleted=True)
    assert outcome(mail_server) == (Email.UNPROVED, [])


@pytest.mark.parametrize("email", ["no-address", "a@b.example\nBcc: x@y.z"])
def test_s01_an_invalid_customers_address_gets_no_mail(mail_server, email):
    invalid = {"id": "cus_1", "object": "customer", "email": email}
    claim("mallory@example.com")
    gateway.store(invalid, as_of=gateway.moment())
    StripeCustomer.objects.create(customer_id="cus_1", distinct_id_id="ada")
    assert outcome(mail_server) == (Email.UNPROVED, [])


def test_s01_staff_can_let_a_keys_claimed_addresses_be_mailed(mail_server, key):
    claim("ada@example.com", key=key.pk)
    assert outcome(mail_server) == (Email.SENT, ["ada@example.com"])


@pytest.mark.parametrize(
    "change", [{"mail_claimed_addresses": False}, {"revoked_at": timezone.now()}]
)
def test_s01_a_key_switched_off_or_revoked_is_not_trusted(mail_server, key, change):
    claim("ada@example.com", key=key.pk)
    ProjectKey.objects.update(**change)
    assert outcome(mail_server) == (Email.UNPROVED, [])


def test_s01_another_keys_claim_is_not_trusted(mail_server, key):
    other = ProjectKey.objects.create(name="Leaked")
    claim("ada@example.com", key=other.pk)
    assert outcome(mail_server) == (Email.UNPROVED, [])


def test_s01_an_address_proved_after_the_notice_is_used_when_it_is_sent(mail_server):
    claim("mallory@example.com")
    ran(8)
    [notice] = usage_notices._claim(ada(), now=NOW)
    identify("ada@example.com")
    assert usage_emails.send(notice, now=NOW) == Email.SENT
    assert mail_server.messages[0].recipients == ["ada@example.com"]


def test_s01_the_addresses_of_many_persons_need_three_queries(django_assert_num_queries, key):
    for number in range(9):
        claim(f"person{number}@example.com", f"person{number}", key=key.pk)
    persons = list(Person.objects.all())
    with django_assert_num_queries(3):
        assert len(addresses.addresses_of(persons)) == 9


def test_s01_pages_say_where_mail_goes_and_why_it_does_not(mail_server, admin, key):
    ProjectKey.objects.update(mail_claimed_addresses=False)
    claim("mallory@example.com", key=key.pk)
    ran(8)
    notify()
    usage_page = text(admin.get(f"/admin/billing/persons/{ada()}/usage/"))
    assert "only claimed" in usage_page
    assert "Send the address with a server key" in usage_page
    assert f"/admin/analytics/projectkey/{key.pk}/change/" in usage_page
    assert "only claimed" in text(admin.get(f"/admin/analytics/person/{ada()}/change/"))
    notices = text(admin.get("/admin/billing/usagenotice/"))
    assert f"/admin/billing/persons/{ada()}/usage/#mail" in notices


def test_s01_pages_name_the_proved_address(admin):
    identify("ada@example.com")
    page = text(admin.get(f"/admin/billing/persons/{ada()}/usage/"))
    assert "ada@example.com, proved by your backend or a verified identity" in page


def test_s01_a_notice_belongs_to_a_proved_id_not_to_a_claimed_one(mail_server):
    identify()
    DistinctId.objects.create(pk="0-claimed", person_id=ada())
    ran(8)
    notify()
    assert UsageNotice.objects.get().distinct_id_id == "ada"


@pytest.mark.parametrize("proved", [True, False])
def test_s01_only_a_proved_person_gets_a_link_to_the_checkout(mail_server, paying, proved):
    identify()
    price("price_pro")
    ran(8)
    DistinctId.objects.update(proved=proved)
    notify()
    assert ("https://checkout.example" in mail_server.text()) == proved
    assert ("https://checkout.example" in mail_server.html()) == proved
    assert ("the link works for 72 hours" in mail_server.text()) == proved
