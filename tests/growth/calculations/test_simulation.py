"""What the readings do in thousands of simulated campaigns, with persons arriving on 60 days.

By default 200 runs a cell with bounds that a right method fails once in a million series; all 1,000
with the bounds of the requirement in `make test-slow`.
"""

import numpy as np
import pytest

from growth.calculations.readings import Verdict, rate_reading
from tests.growth.calculations.campaigns import arms, plan, progress
from tests.growth.calculations.simulated_payments import mean_payment, revenue
from tests.growth.calculations.simulation import CELLS, fewest, most, rates

COVERED = (0.93, 0.98)
FINAL_ALARMS, ALARMS_EVER = 35, 65  # of 1,000 campaigns without an effect
FEWEST_CONVERSIONS = 5  # expected in both arms: with fewer, counts are too coarse for 98 %
FEWEST_READ = 0.1  # of the runs: with fewer, those that are read are not like the others
RUNS = [200, pytest.param(1_000, marks=pytest.mark.slow)]


def bounds(runs, covered=COVERED):
    """Return the fewest and the most intervals that may cover."""
    if runs == 1_000:
        return tuple(round(share * runs) for share in covered)
    return fewest(runs, covered[0]), most(runs, covered[1])


def alarms(runs, per_thousand):
    return per_thousand if runs == 1_000 else most(runs, per_thousand / 1_000)


def assert_few_alarms(results, runs):
    assert results.works.sum() <= alarms(runs, FINAL_ALARMS)
    assert results.ever_works.sum() <= alarms(runs, ALARMS_EVER)


@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_p68_rates_are_covered_and_rarely_work_without_an_effect(cell, runs):
    results = rates(cell, runs, np.random.default_rng(cell.seed))
    low, high = bounds(runs)
    truth = cell.treated - cell.base
    covering = results.covering(truth)
    assert covering >= low
    assert results.covering_at_all_looks(truth) >= bounds(runs, (0.95, 1))[0]
    if cell.persons * cell.base >= FEWEST_CONVERSIONS:
        assert covering <= high
    if not cell.has_effect:
        assert_few_alarms(results, runs)


@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("kind", ["plans", "tail"])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_p68_p69_revenue_is_covered_and_rarely_works_without_an_effect(cell, kind, runs):
    seed = [*cell.seed, int(kind == "tail")]
    results = revenue(kind, cell, runs, np.random.default_rng(seed))
    read = int(results.is_read.sum())
    if read >= FEWEST_READ * runs:
        low, high = bounds(read)
        truth = (cell.treated - cell.base) * mean_payment(kind)
        assert low <= results.covering(truth) <= high
    if not cell.has_effect:
        assert_few_alarms(results, runs)
        assert results.covering_at_all_looks(0) >= bounds(runs, (0.95, 1))[0]


def test_p68_daily_looks_at_the_final_interval_would_be_false_alarms():
    """The bounds can fail: a naive reader stops at the first of 60 looks that says "works"."""
    cell = next(cell for cell in CELLS if str(cell) == "0.2-0.2-5000-0.5")
    naive = rates(cell, 1_000, np.random.default_rng(1), z=1.96)
    assert naive.ever_works.sum() > 1.5 * ALARMS_EVER


def test_the_simulated_readings_are_those_of_the_code():
    cell = next(cell for cell in CELLS if str(cell) == "0.05-0.1-1000-0.5")
    results = rates(cell, 50, np.random.default_rng(cell.seed))
    for run in range(50):
        treated, holdout = (f"{arm.reached[run, -1]}/{arm.persons[-1]}" for arm in results.arms)
        reading = rate_reading(*arms(treated, holdout), plan(holdout=0.5), progress())
        assert (reading.verdict is Verdict.WORKS) == results.works[run]
        assert reading.interval.low == pytest.approx(results.low[run])
