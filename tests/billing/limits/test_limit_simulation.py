"""What a limit would have done."""

from datetime import date

import pytest

from analytics.models import DistinctId
from analytics.people import exclusions
from billing.calculations.plan import Limit
from billing.limits.simulation import simulate
from billing.models import LimitException, Plan, UsageMeter
from tests.analytics.people_histories import at
from tests.billing.limited_usage import NOW, limit, price, ran

pytestmark = pytest.mark.django_db

APRIL = at("2024-04-20")


def person_id(name):
    return DistinctId.objects.get(pk=name).person_id


def names(used):
    ids = dict(DistinctId.objects.values_list("person_id", "pk"))
    return [ids[user.person.pk] for user in used]


def simulated(amount, *, meter="workflow_runs", plan="free", **options):
    return simulate(plan, meter, Limit(amount=amount, **options), now=NOW)


@pytest.fixture(autouse=True)
def april():
    for times, person in ((12, "ada"), (10, "ben"), (8, "cleo"), (7, "dan")):
        ran(times, person=person, at=APRIL)
    ran(90, person="dan")  # this month, which is not over


def test_it_would_have_blocked_people_over_it_last_month():
    effect = simulated(10).effect
    assert names(effect.blocked) == ["ada"]
    assert names(effect.reached) == ["ada", "ben"]
    assert names(effect.warned) == ["ada", "ben", "cleo"]


def test_it_is_compared_with_the_limit_in_force():
    limit(7)
    simulation = simulated(10)
    assert names(simulation.now.blocked) == ["ada", "ben", "cleo"]


def test_a_plan_without_a_limit_yet():
    Plan.objects.get(slug="free").limits.all().delete()
    assert simulated(10).now is None


def test_grace_and_soft_limits_block_later_or_never():
    assert names(simulated(10, grace=2).effect.blocked) == []
    assert names(simulated(10, hard=False).effect.blocked) == []


def test_a_limit_of_0_blocks_everyone_with_usage():
    ran(person="eve", event="seen", at=APRIL)
    assert names(simulated(0).effect.blocked) == ["ada", "ben", "cleo", "dan"]


def test_only_people_on_the_plan_count(paying):
    price("price_pro")
    paying.subscribes(person_id("ada"), "price_pro")
    assert names(simulated(9).effect.blocked) == ["ben"]
    assert names(simulated(9, plan="pro").effect.blocked) == ["ada"]


def test_exceptions_are_applied():
    LimitException.objects.create(
        distinct_id_id="ada",
        meter=UsageMeter.objects.get(slug="workflow_runs"),
        amount=50,
        ends_on=date(2024, 6, 1),
        reason="Trial",
    )
    assert names(simulated(9).effect.blocked) == ["ben"]


def test_excluded_persons_are_not_counted():
    exclusions.decide([person_id("ada")], excluded=True)
    assert names(simulated(9).effect.blocked) == ["ben"]


def test_over_a_lifetime_all_usage_so_far_counts():
    ran(4, event="workflow_created", at=APRIL)
    ran(1, event="workflow_created")
    simulation = simulated(4, meter="workflows")
    assert (names(simulation.effect.blocked), simulation.window.end) == (["ada"], None)


def test_an_unknown_plan_or_meter_is_named():
    with pytest.raises(LookupError, match="'gold'"):
        simulated(1, plan="gold")
