"""H6: an address that another person has with another spelling of its domain is not one's own."""

import pytest

from analytics.models import RejectedEvent
from analytics.people import persons
from analytics.privacy import erasure
from analytics.privacy.traces import same_address, traces_of
from growth.suppression import suppressions
from tests.growth.suppression.people import proved_user

pytestmark = pytest.mark.django_db
SPELLINGS = [
    ("cfo@bücher.example", "cfo@xn--bcher-kva.example"),
    ("CFO@xn--bcher-kva.example", "cfo@bücher.example"),
]


@pytest.mark.parametrize(("victims", "attackers"), SPELLINGS)
def test_h6_erasing_acts_on_no_address_that_another_person_has_proved(victims, attackers):
    proved_user("victim", victims)
    attacker = proved_user("mallory", attackers)
    RejectedEvent.objects.create(reason="malformed", detail="no", payload=victims.encode())
    erasure.erase([attacker.pk])
    assert not suppressions.is_suppressed(victims)
    assert RejectedEvent.objects.exists()


@pytest.mark.parametrize(("victims", "attackers"), SPELLINGS)
def test_h6_the_preview_of_erasing_names_who_has_the_address_too(victims, attackers):
    victim = proved_user("victim", victims)
    attacker = proved_user("mallory", attackers)
    assert same_address(traces_of([attacker.pk])) == [victim]


@pytest.mark.parametrize(("victims", "attackers"), SPELLINGS)
def test_h6_neither_person_has_the_address_alone(victims, attackers):
    people = [proved_user("victim", victims), proved_user("mallory", attackers)]
    for person in people:
        assert persons.own_addresses([person.pk], proved=True) == set()
    assert len(persons.own_addresses([person.pk for person in people], proved=True)) == 2
