"""The final reading, the one so far, and what they conclude."""

from datetime import date, timedelta

import pytest

from growth.calculations.readings import ReadingKind, Verdict, rate_reading
from growth.calculations.sample_ratio import sample_ratio
from tests.growth.calculations.campaigns import (
    BEFORE,
    FINAL_DAY,
    PLANNED,
    arms,
    plan,
    progress,
)


def final(treated, holdout, **changes):
    return rate_reading(*arms(treated, holdout), plan(**changes), progress())


def so_far(treated, holdout, persons_per_day=100.0, **changes):
    return rate_reading(*arms(treated, holdout), plan(**changes), progress(BEFORE, persons_per_day))


@pytest.mark.parametrize(
    ("treated", "holdout", "verdict"),
    [
        ("600/4500", "45/500", Verdict.WORKS),
        ("400/4500", "65/500", Verdict.HARMS),
        ("450/4500", "50/500", Verdict.NO_DIFFERENCE),
        ("460/4500", "45/500", Verdict.NO_DIFFERENCE),
        ("0/4500", "0/500", Verdict.NO_DIFFERENCE),
    ],
)
def test_the_final_reading_says_what_its_interval_says(treated, holdout, verdict):
    reading = final(treated, holdout)
    assert (reading.kind, reading.verdict) == (ReadingKind.FINAL, verdict)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (BEFORE, ReadingKind.SO_FAR),
        (FINAL_DAY, ReadingKind.FINAL),
        (FINAL_DAY + timedelta(days=9), ReadingKind.FINAL),
        (date(2025, 1, 1), ReadingKind.SO_FAR),
    ],
)
def test_p68_the_day_of_the_final_reading_is_fixed_at_the_start(day, kind):
    assert plan().kind(day) is kind


@pytest.mark.parametrize(
    "nothing", [{"persons": 0}, {"holdout": 0}, {"holdout": 1}, {"effect": 0}, {"effect": -0.1}]
)
def test_a_plan_without_persons_a_holdout_or_an_effect_compares_nothing(nothing):
    with pytest.raises(ValueError, match="compares nothing"):
        plan(**nothing)


def test_p68_what_is_significant_once_is_not_yet_so_far():
    treated, holdout = "600/4500", "45/500"
    assert final(treated, holdout).verdict is Verdict.WORKS
    assert so_far(treated, holdout).verdict is Verdict.TOO_EARLY


def test_p68_a_large_effect_works_before_the_final_day():
    assert so_far("900/4500", "45/500").verdict is Verdict.WORKS
    assert so_far("225/4500", "100/500").verdict is Verdict.HARMS


def test_p68_the_interval_so_far_is_wider():
    once, early = final("600/4500", "45/500").interval, so_far("600/4500", "45/500").interval
    assert early.low < once.low < once.high < early.high


@pytest.mark.parametrize(
    ("treated", "holdout", "persons"),
    [
        ("500/1341", "5/149", 1_490),  # 10 of the holdout at 5 in 149, of which a tenth is held out
        ("9/1350", "15/150", 167),  # 10 of the treated, nine tenths of whom are in it
        ("500/1260", "30/140", 100),  # 150 controls
    ],
)
def test_before_burn_in_there_is_no_interval(treated, holdout, persons):
    reading = so_far(treated, holdout, effect=0.5)
    assert (reading.interval, reading.verdict) == (None, Verdict.TOO_EARLY)
    assert reading.more_persons == persons


def test_burn_in_names_the_persons_and_days_that_are_missing():
    reading = so_far("500/1260", "30/140", persons_per_day=40, effect=0.5)
    assert (reading.more_persons, reading.more_days) == (100, 3)


def test_too_early_names_the_persons_for_the_effect_worth_seeing():
    small, large = (so_far("200/1800", "20/200", effect=effect) for effect in (0.02, 0.04))
    assert small.verdict is large.verdict is Verdict.TOO_EARLY
    assert small.more_persons + 2_000 == pytest.approx(4 * (large.more_persons + 2_000), rel=0.01)


def test_with_enough_persons_so_far_no_difference_is_seen():
    assert so_far("2000/18000", "220/2000", effect=0.03).verdict is Verdict.NO_DIFFERENCE


def test_the_number_of_persons_is_unknown_while_no_person_has_reached_the_goal():
    reading = so_far("0/1800", "0/200")
    assert (reading.verdict, reading.more_persons) == (Verdict.TOO_EARLY, None)


def test_the_number_of_days_is_unknown_while_no_person_arrives():
    reading = so_far("200/1800", "20/200", persons_per_day=0)
    assert reading.more_persons > 0
    assert reading.more_days is None


@pytest.mark.parametrize(("treated", "holdout"), [("0/0", "0/0"), ("5/50", "0/0"), ("0/0", "3/9")])
@pytest.mark.parametrize("read", [final, so_far])
def test_an_arm_without_persons_is_compared_with_nothing(read, treated, holdout):
    reading = read(treated, holdout)
    assert (reading.interval, reading.difference) == (None, None)
    assert reading.verdict is Verdict.TOO_EARLY


def test_p67_groups_that_differ_from_the_plan_get_no_verdict():
    unequal = sample_ratio({"holdout": 500, "treated": 9_000}, PLANNED)
    for day in (BEFORE, FINAL_DAY):
        moment = progress(day, ratio=unequal)
        reading = rate_reading(*arms("900/4500", "45/500"), plan(), moment)
        assert (reading.verdict, reading.more_persons) == (Verdict.NOT_TRUSTED, None)
        assert reading.interval is not None
