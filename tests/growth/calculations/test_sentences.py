"""An effect in a sentence."""

import numpy as np
import pytest

from growth.calculations.readings import rate_reading
from growth.calculations.revenue import Payments, revenue_effect
from growth.calculations.sample_ratio import sample_ratio
from growth.calculations.sentences import EffectGoal, sentence
from tests.growth.calculations.campaigns import (
    AS_PLANNED,
    BEFORE,
    PLANNED,
    arms,
    plan,
    progress,
)

CAME_BACK = EffectGoal(window_days=14, did="came back")


def said(treated, holdout, *, ratio=AS_PLANNED, goal=CAME_BACK, **moment):
    reading = rate_reading(*arms(treated, holdout), plan(), progress(ratio=ratio, **moment))
    return sentence(reading, goal, ratio)


def test_what_works():
    assert said("1107/9000", "98/1000") == (
        "In 14 days 12.3 % of those in the campaign came back, 9.8 % of the holdout: "
        "2.5 points more (0.4 to 4.3). It works."
    )


def test_what_harms():
    assert said("800/9000", "130/1000").endswith("4.1 points less (2.1 to 6.4). It harms.")


def test_no_difference():
    assert said("900/9000", "100/1000").endswith(
        "0.0 points more (−2.1 to 1.8). No difference seen."
    )


def test_too_early_before_burn_in():
    assert said("30/900", "3/100", day=BEFORE) == (
        "So far, in 14 days 3.3 % of those in the campaign came back, 3.0 % of the holdout: "
        "0.3 points more. Too early: about 5,958 more people, 60 more days."
    )


def test_no_person_assigned():
    assert said("0/0", "0/0") == (
        "In 14 days there is nothing to compare yet. Too early: about 5,000 more people, "
        "50 more days."
    )


def test_p67_groups_that_differ_from_the_plan():
    unequal = sample_ratio({"holdout": 500, "treated": 9_000}, PLANNED)
    assert said("900/9000", "50/500", ratio=unequal).endswith(
        "Do not trust this: the groups differ from the plan."
    )


@pytest.mark.parametrize(
    ("contaminated", "words"), [(1, "1 person was in both"), (12, "12 persons were in both")]
)
def test_contaminated_persons_are_said(contaminated, words):
    ratio = sample_ratio({"holdout": 100, "treated": 900}, PLANNED, contaminated)
    assert words in said("900/9000", "100/1000", ratio=ratio)


def test_a_window_of_a_day():
    goal = EffectGoal(window_days=1, did="activated")
    assert said("900/9000", "100/1000", goal=goal).startswith("In 1 day 10.0 % of those")


def test_revenue_is_money():
    treated, holdout = (Payments(5_000, np.full(count, 1900)) for count in (400, 250))
    reading = revenue_effect(treated, holdout, plan(), progress(), seed=1).capped
    assert sentence(reading, EffectGoal(30, currency="usd"), AS_PLANNED) == (
        "In 30 days a person in the campaign brought 1.52 USD, one in the holdout 0.95 USD: "
        "0.57 USD more (0.39 USD to 0.75 USD). It works."
    )
