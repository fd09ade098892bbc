"""S03: only proof links a Stripe customer to a person, and two who pay are known to pay."""

import pytest

from analytics.extension_points import payers
from analytics.models import Person
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_account, worker):
    return Shop(stripe_account)


def person(distinct_id):
    return Person.objects.get(distinct_ids=distinct_id)


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
