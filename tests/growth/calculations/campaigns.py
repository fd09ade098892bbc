"""A campaign's plan and progress for the tests of readings."""

from dataclasses import replace
from datetime import date

from growth.calculations.arms import Arm, rate_arm
from growth.calculations.readings import EffectPlan, EffectProgress
from growth.calculations.sample_ratio import sample_ratio

FINAL_DAY = date(2026, 3, 1)
BEFORE = date(2026, 2, 28)
PLANNED = {"holdout": 0.1, "treated": 0.9}
AS_PLANNED = sample_ratio({"holdout": 100, "treated": 900}, PLANNED)


def plan(**changes):
    default = EffectPlan(persons=5_000, holdout=0.1, effect=0.02, final_day=FINAL_DAY)
    return replace(default, **changes)


def progress(day=FINAL_DAY, persons_per_day=100.0, ratio=AS_PLANNED):
    return EffectProgress(day, persons_per_day, ratio)


def arms(treated, holdout) -> tuple[Arm, Arm]:
    """Return the arms of a rate from "900/10000" and the like."""
    return arm(treated), arm(holdout)


def arm(text):
    reached, persons = map(int, text.split("/"))
    return rate_arm(persons, reached)
