"""S03: only proof links a Stripe customer to a person; everything else is a suggestion."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from analytics.extension_points import payers
from analytics.models import DistinctId, Event, Person
from analytics.privacy import erasure
from billing.models import RefusedLink, StripeCustomer
from billing.stripe import gateway, link_suggestions
from billing.stripe.quality_checks import UnlinkedCustomers
from common.data_quality import CheckVerdict
from tests.billing.admin_pages import text
from tests.billing.stripe_shop import Shop, create_person
from tests.events import NOON

pytestmark = pytest.mark.django_db
PAGE = reverse("billing:unlinked-customers")
ADD = reverse("admin:billing_stripecustomer_add")


@pytest.fixture
def shop(stripe_account, worker):
    return Shop(stripe_account)


def person(distinct_id):
    return Person.objects.get(distinct_ids=distinct_id)


def create(distinct_id, email="", *, proved=False):
    """Create a person with an e-mail address, claimed or proved."""
    create_person(distinct_id)
    properties = {"email": email} if email else {}
    values = {"properties": properties} | ({"proved": properties} if proved else {})
    Person.objects.filter(distinct_ids=distinct_id).update(**values)
    DistinctId.objects.filter(pk=distinct_id).update(proved=proved)


def links():
    return dict(StripeCustomer.objects.values_list("distinct_id", "proof"))


def suggestions():
    return [
        (candidate.distinct_id, candidate.reason)
        for row in link_suggestions.unlinked()
        for candidate in row.candidates
    ]


def paid_at_a_payment_link(shop, email, reference):
    """Buy as with a payment link, whose address every buyer can change."""
    session = shop.call(
        "post",
        "/v1/checkout/sessions",
        mode="subscription",
        line_items=[{"price": shop.price, "quantity": 1}],
        client_reference_id=reference,
        customer_email=email,
        success_url="https://example.com",
    )
    shop.pays(session)


def test_s03_the_persons_who_pay_are_those_with_a_stripe_customer(
    shop, client, django_assert_num_queries
):
    for name in ("ada", "ben"):
        create_person(name)
    shop.customer("ada")
    shop.delivered(client)
    [paying_persons], ada, ben = payers, person("ada").pk, person("ben").pk
    with django_assert_num_queries(1):
        assert paying_persons([ada, ben]) == {ada}


class TestProof:
    def test_s03_a_customers_metadata_links_and_proves_the_id(self, shop, client):
        create("ada")
        shop.customer("ada")
        shop.delivered(client)
        assert links() == {"ada": "metadata"}
        assert DistinctId.objects.get(pk="ada").proved

    def test_s03_a_subscriptions_metadata_links_its_customer(self, shop, client):
        create("ada")
        shop.subscribes(shop.customer(), metadata={"distinct_id": "ada"})
        shop.delivered(client)
        assert links() == {"ada": "metadata"}

    def test_s03_a_customer_is_linked_when_its_person_exists(self, shop, client):
        customer = shop.customer("ada")
        shop.delivered(client)
        assert links() == {}
        create("ada")
        shop.subscribes(customer)
        shop.delivered(client)
        assert links() == {"ada": "metadata"}

    def test_s03_an_equal_proved_address_links(self, shop, client):
        create("ada", "ada@example.com", proved=True)
        shop.customer(email="ADA@example.com")
        shop.delivered(client)
        assert links() == {"ada": "email"}

    def test_s03_an_address_links_to_a_proved_id_not_to_a_claimed_one(self, shop, client):
        create("victim", "victim@example.com", proved=True)
        DistinctId.objects.create(pk="0-claimed", person=person("victim"))
        shop.customer(email="victim@example.com")
        shop.delivered(client)
        assert links() == {"victim": "email"}
        assert not DistinctId.objects.get(pk="0-claimed").proved


class TestClaims:
    def test_s03_an_equal_claimed_address_is_a_suggestion(self, shop, client):
        create("mallory", "ada@example.com")
        shop.customer(email="ada@example.com")
        shop.delivered(client)
        assert links() == {}
        assert suggestions() == [("mallory", "Same e-mail address, which is only claimed.")]

    def test_s03_a_client_reference_is_a_suggestion(self, shop, client):
        create("victim")
        paid_at_a_payment_link(shop, "mallory@example.com", "victim")
        shop.delivered(client)
        assert links() == {}
        [(distinct_id, reason)] = suggestions()
        assert distinct_id == "victim"
        assert "as every buyer can" in reason

    def test_s03_another_buyer_with_a_payers_address_is_a_suggestion(self, shop, client):
        create("ada", "ada@example.com", proved=True)
        shop.customer("ada", email="ada@example.com")
        paid_at_a_payment_link(shop, "ada@example.com", "")
        shop.delivered(client)
        assert StripeCustomer.objects.count() == 1
        assert [distinct_id for distinct_id, _ in suggestions()] == ["ada"]

    def test_s03_an_address_that_two_persons_have_proved_links_neither(self, shop, client):
        for name in ("ada", "eve"):
            create(name, "ada@example.com", proved=True)
        shop.customer(email="ada@example.com")
        shop.delivered(client)
        assert (links(), len(suggestions())) == ({}, 2)

    def test_s03_very_many_claims_of_an_address_suggest_only_a_few(self, shop, client):
        for number in range(9):
            create(f"mallory{number}", "ada@example.com")
        shop.customer(email="ada@example.com")
        shop.delivered(client)
        assert len(suggestions()) == link_suggestions.PER_ADDRESS

    def test_s03_metadata_that_names_an_unknown_id_is_said_and_not_replaced_by_an_address(
        self, shop, client
    ):
        create("ada", "ada@example.com", proved=True)
        shop.customer("unknown", email="ada@example.com")
        shop.delivered(client)
        [row] = link_suggestions.unlinked()
        assert links() == {}
        assert "The metadata names unknown" in row.note


class TestStaff:
    @pytest.fixture
    def customer(self, shop, client):
        create("ada", "ada@example.com")
        customer = shop.customer(email="ada@example.com")
        shop.subscribes(customer)
        shop.delivered(client)
        return customer

    def link(self, admin_client, customer, distinct_id, **more):
        form = {"customer_id": customer, "distinct_id": distinct_id}
        return admin_client.post(ADD, form | more)

    def test_s03_the_page_lists_suggestions_with_their_reason(self, customer, admin_client):
        page = text(admin_client.get(PAGE))
        for part in ("1 Stripe customer not linked", customer, "only claimed", "Not this person"):
            assert part in page

    def test_s03_linking_is_previewed_and_then_links(self, customer, admin_client):
        preview = text(self.link(admin_client, customer, "ada"))
        assert "Link this customer to this person?" in preview
        assert links() == {}
        self.link(admin_client, customer, "ada", confirmed="1")
        assert links() == {"ada": "staff"}
        assert DistinctId.objects.get(pk="ada").proved
        assert Event.objects.filter(event="subscription_created").exists()
        assert "Every Stripe customer is linked" in text(admin_client.get(PAGE))

    def test_s03_staff_links_a_person_by_any_id_and_the_link_is_with_a_proved_one(
        self, customer, admin_client
    ):
        DistinctId.objects.update(proved=True)
        DistinctId.objects.create(pk="0-claimed", person=person("ada"))
        self.link(admin_client, customer, "0-claimed", confirmed="1")
        assert links() == {"ada": "staff"}
        assert not DistinctId.objects.get(pk="0-claimed").proved

    def test_s03_a_person_linked_by_hand_is_no_longer_refused(self, customer, admin_client):
        admin_client.post(PAGE, {"customer_id": customer, "distinct_id": "ada"})
        self.link(admin_client, customer, "ada", confirmed="1")
        assert links() == {"ada": "staff"}
        assert not RefusedLink.objects.exists()

    def test_s03_the_preview_warns_of_a_second_customer(self, customer, shop, admin_client):
        self.link(admin_client, customer, "ada", confirmed="1")
        preview = text(self.link(admin_client, "cus_other", "ada"))
        assert f"already has a Stripe customer:</strong> {customer}" in preview

    def test_s03_a_refused_person_is_not_suggested_again(self, customer, admin_client):
        form = {"customer_id": customer, "distinct_id": "ada"}
        page = text(admin_client.post(PAGE, form, follow=True))
        assert "will not be suggested" in page
        assert suggestions() == []
        assert RefusedLink.objects.get().refused_by == "admin"

    def test_s03_a_refused_person_is_not_linked_by_metadata_or_address(
        self, customer, shop, client, admin_client
    ):
        admin_client.post(PAGE, {"customer_id": customer, "distinct_id": "ada"})
        create("ada-2", "ada@example.com")
        DistinctId.objects.filter(pk="ada-2").update(person=person("ada"))
        Person.objects.update(proved={"email": "ada@example.com"})
        metadata = {"distinct_id": "ada-2"}
        gateway.call("post", f"/v1/customers/{customer}", metadata=metadata)
        shop.delivered(client)
        assert links() == {}

    def test_s03_a_deleted_link_does_not_come_back(self, shop, client, admin_client):
        create("ada")
        customer = shop.customer("ada")
        shop.delivered(client)
        page = reverse("admin:billing_stripecustomer_delete", args=[customer])
        admin_client.post(page, {"post": "yes"})
        shop.subscribes(customer)
        shop.delivered(client)
        assert links() == {}

    def test_s03_staff_without_the_permission_can_neither_see_nor_refuse(
        self, customer, client, django_user_model
    ):
        reader = django_user_model.objects.create_user("reader", is_staff=True)
        client.force_login(reader)
        assert client.get(PAGE).status_code == 403
        reader.user_permissions.add(Permission.objects.get(codename="view_stripecustomer"))
        assert client.get(PAGE).status_code == 200
        form = {"customer_id": customer, "distinct_id": "ada"}
        assert client.post(PAGE, form).status_code == 403
        assert not RefusedLink.objects.exists()

    def test_s03_unlinked_customers_are_a_finding_of_data_quality(self, customer, admin_client):
        finding = UnlinkedCustomers().run(now=NOON)
        assert (finding.verdict, finding.affected) == (CheckVerdict.WARNING, 1)
        self.link(admin_client, customer, "ada", confirmed="1")
        assert UnlinkedCustomers().run(now=NOON).verdict is CheckVerdict.PASS

    def test_s03_erasing_a_person_leaves_neither_refusals_nor_an_unlinked_customer(
        self, customer, shop, client, admin_client
    ):
        create("ben")
        admin_client.post(PAGE, {"customer_id": customer, "distinct_id": "ben"})
        self.link(admin_client, customer, "ada", confirmed="1")
        erasure.erase([person("ada").pk, person("ben").pk])
        assert not RefusedLink.objects.exists()
        assert link_suggestions.unlinked() == []
