"""The demo company has referrals, and loses them again."""

import pytest

from growth import demo
from growth.models import Referral, ReferralCode, ReferralProgram, ReferralReward
from growth.referrals import funnel, viral
from operational.overview import demo_data
from tests.demo_company import load_demo
from tests.operational.kpi_data import AS_OF, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def _company(time_machine):
    time_machine.move_to(NOW, tick=False)
    load_demo(persons=400, days=120)
    demo.load(until=NOW, seed=1)


@pytest.mark.usefixtures("_company")
def test_every_step_of_the_funnel_has_fewer_people_than_the_one_before():
    steps = funnel.funnel(first=AS_OF.replace(month=1, day=1), last=AS_OF)
    counts = [row.persons for row in steps[1:]]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 0
    assert len({*counts}) == len(counts)


@pytest.mark.usefixtures("_company")
def test_the_viral_coefficient_has_a_value_and_rewards_wait_for_a_review():
    counts = viral.virality(first=AS_OF.replace(month=2, day=1), last=AS_OF.replace(day=1))
    assert 0 < counts.accepted < counts.invited
    assert {"sent", "review"} & {*ReferralReward.objects.values_list("state", flat=True)}


@pytest.mark.usefixtures("_company")
def test_removing_the_demo_removes_its_referrals():
    demo_data.remove(now=NOW)
    for model in (Referral, ReferralCode, ReferralProgram, ReferralReward):
        assert not model.objects.exists()
