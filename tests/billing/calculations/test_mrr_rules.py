"""The Revenue rules of metrics.md, calculated by hand. Amounts are cents by default."""

from fractions import Fraction

import pytest

from billing.calculations.history import at_risk, scheduled
from billing.calculations.lifetime import (
    LOWEST_CHURN,
    MonthlyChurn,
    arpa,
    lifetime,
    pooled,
    quick_ratio,
)
from common.calculations.currency import converted, rounded
from common.formatting import money
from tests.billing.stripe_json import (
    at,
    coupon,
    event,
    history,
    item,
    monthly,
    price,
    subscription,
    tiered,
)

CASES = {
    "1000 a month is 1000": ([item(price(1000))], 1000),
    "12000 a year / 12 = 1000": ([item(price(12000, "year"))], 1000),
    "24000 in 2 years / 24 = 1000": ([item(price(24000, "year", 2))], 1000),
    "3000 a quarter / 3 = 1000": ([item(price(3000, "month", 3))], 1000),
    "6000 in 6 months / 6 = 1000": ([item(price(6000, "month", 6))], 1000),
    "300 a week x 52 / 12 = 1300": ([item(price(300, "week"))], 1300),
    "600 in 2 weeks x 52 / 12 / 2 = 1300": ([item(price(600, "week", 2))], 1300),
    "12 a day x 365 / 12 = 365": ([item(price(12, "day"))], 365),
    "120 in 10 days x 365 / 12 / 10 = 365": ([item(price(120, "day", 10))], 365),
    "1000 a year / 12 = 83 1/3, not rounded yet": ([item(price(1000, "year"))], Fraction(250, 3)),
    "500 x 7 seats = 3500": ([item(price(500), 7)], 3500),
    "no quantity is 1: 500": ([item(price(500), None)], 500),
    "0 seats: 0": ([item(price(500), 0)], 0),
    "1000 + 200 x 5 = 2000": ([item(price(1000)), item(price(200), 5)], 2000),
    "1000 + 12000 / 12 = 2000": ([item(price(1000)), item(price(12000, "year"))], 2000),
    "0.5 cents x 1000 = 500": (
        [item(price(None, unit_amount_decimal="0.5"), 1000)],
        500,
    ),
    "packages of 10, rounded up: 25 -> 3 x 100 = 300": (
        [item(price(100, transform_quantity={"divide_by": 10, "round": "up"}), 25)],
        300,
    ),
    "packages of 10, rounded down: 25 -> 2 x 100 = 200": (
        [item(price(100, transform_quantity={"divide_by": 10, "round": "down"}), 25)],
        200,
    ),
    "graduated 5 x 100 + 3 x 80 = 740": (
        [item(tiered("graduated", (5, 100, 0), (None, 80, 0)), 8)],
        740,
    ),
    "graduated, flat: 200 + 5 x 100 + 300 + 3 x 80 = 1240": (
        [item(tiered("graduated", (5, 100, 200), (None, 80, 300)), 8)],
        1240,
    ),
    "graduated at the edge: 5 x 100 = 500": (
        [item(tiered("graduated", (5, 100, 0), (None, 80, 300)), 5)],
        500,
    ),
    "volume 8 x 80 = 640": ([item(tiered("volume", (5, 100, 0), (None, 80, 0)), 8)], 640),
    "volume at the edge: 5 x 100 = 500": (
        [item(tiered("volume", (5, 100, 0), (None, 80, 0)), 5)],
        500,
    ),
    "volume, flat: 300 + 8 x 80 = 940": (
        [item(tiered("volume", (5, 100, 0), (None, 80, 300)), 8)],
        940,
    ),
    "tiers up to inf, in any order: 5 x 100 + 1 x 80 = 580": (
        [item(tiered("graduated", ("inf", 80, 0), (5, 100, 0)), 6)],
        580,
    ),
    "tiers a year: (5 x 1200) / 12 = 500": (
        [item(tiered("graduated", (None, 1200, 0), interval="year"), 5)],
        500,
    ),
    "metered is not MRR: 1000 + 0 = 1000": (
        [
            item(price(1000)),
            item(price(5, recurring={"interval": "month", "usage_type": "metered"}), None),
        ],
        1000,
    ),
}


@pytest.mark.parametrize(("items", "expected"), CASES.values(), ids=CASES)
def test_an_item_by_hand(items, expected):
    assert monthly(*items) == expected


DISCOUNTS = {
    "20 % forever: 1000 - 200 = 800": ([coupon(percent=20)], 800),
    "12.5 %: 1000 - 125 = 875": ([coupon(percent=12.5)], 875),
    "300 off forever: 1000 - 300 = 700": ([coupon(amount=300)], 700),
    "more off than it costs: 0, never below": ([coupon(amount=3000)], 0),
    "100 %: 0, so not a customer": ([coupon(percent=100)], 0),
    "20 %, then 300 off: 800 - 300 = 500": ([coupon(percent=20), coupon(amount=300)], 500),
    "300 off, then 20 %: 700 x 0.8 = 560": ([coupon(amount=300), coupon(percent=20)], 560),
    "only of another product: 1000": ([coupon(percent=50, applies_to={"products": ["x"]})], 1000),
    "of this product: 500": ([coupon(percent=50, applies_to={"products": ["prod_a"]})], 500),
    "p14 repeating, in force: 500": (
        [coupon(percent=50, duration="repeating", end="2024-03-01")],
        500,
    ),
    "p14 repeating, over: 1000": (
        [coupon(percent=50, duration="repeating", end="2024-01-10")],
        1000,
    ),
    "p14 repeating, not started: 1000": (
        [coupon(percent=50, duration="repeating", start="2024-02-01", end="2024-05-01")],
        1000,
    ),
    "p14 once is ignored: 1000": ([coupon(percent=50, duration="once")], 1000),
}


@pytest.mark.parametrize(("discounts", "expected"), DISCOUNTS.values(), ids=DISCOUNTS)
def test_a_discount_by_hand(discounts, expected):
    assert monthly(item(price(1000)), discounts=discounts) == expected


def test_an_amount_off_a_yearly_invoice_is_a_twelfth_a_month():
    """(12000 - 1200) / 12 = 900."""
    assert monthly(item(price(12000, "year")), discounts=[coupon(amount=1200)]) == 900


def test_an_items_discount_applies_to_that_item_only():
    """1000 x 0.5 + 1000 = 1500."""
    assert monthly(item(discounts=[coupon(percent=50)]), item()) == 1500


def test_a_discount_in_the_old_and_the_new_format():
    """1000 - 200 = 800, each."""
    new = coupon(percent=20)
    new["source"] = {"type": "coupon", "coupon": new.pop("coupon")}
    assert monthly(item(), discounts=[new]) == 800
    assert monthly(item(), discounts=[], discount=coupon(percent=20)) == 800


def test_taxes_are_not_mrr():
    """1000 and 19 % of tax on top are 1000."""
    assert (
        monthly(item(tax_rates=[{"percentage": 19}]), default_tax_rates=[{"percentage": 19}])
        == 1000
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [("active", 1000), ("past_due", 1000)]
    + [(s, 0) for s in "trialing incomplete incomplete_expired unpaid paused canceled".split()],
)
def test_only_active_and_past_due_subscriptions_count(status, expected):
    assert monthly(item(), status=status) == expected


def test_a_canceled_subscription_counts_until_it_ends():
    canceled = {"status": "canceled", "canceled_at": "2024-01-05", "ended_at": "2024-02-01"}
    assert monthly(item(), **canceled, day="2024-01-31") == 1000
    assert monthly(item(), **canceled, day="2024-02-01") == 0


def test_a_subscription_scheduled_to_cancel_counts_until_then():
    assert monthly(item(), cancel_at_period_end=True, canceled_at="2024-01-05") == 1000


def test_a_trial_does_not_count_but_the_time_before_it_does():
    trial = {"trial_start": "2024-01-10", "trial_end": "2024-01-20"}
    days = ("2024-01-09", "2024-01-10", "2024-01-19", "2024-01-20")
    assert [monthly(item(), **trial, day=day) for day in days] == [1000, 0, 0, 1000]


@pytest.mark.parametrize(
    ("behavior", "expected"), [("void", 0), ("mark_uncollectible", 0), ("keep_as_draft", 1000)]
)
def test_a_pause_without_collection_is_not_mrr(behavior, expected):
    pause = {"behavior": behavior, "resumes_at": at("2024-02-01")}
    assert monthly(item(), pause_collection=pause) == expected
    assert monthly(item(), pause_collection=pause, day="2024-02-01") == 1000


@pytest.mark.parametrize(
    ("exact", "whole"), [(Fraction(250, 3), 83), (Fraction(167, 2), 84), (Fraction(5, 3), 2)]
)
def test_rounding_is_to_the_nearest_and_half_up(exact, whole):
    """83 1/3 -> 83, 83 1/2 -> 84, 1 2/3 -> 2."""
    assert rounded(exact) == whole


def test_currencies_are_converted_by_their_decimals():
    """1000 JPY x 0.0067 = 6.70 USD = 670 cents; 6.70 USD / 0.0067 = 1000 JPY; 1 KWD = 1000 fils."""
    rate = Fraction("0.0067")
    assert converted(1000, rate, source="jpy", target="usd") == 670
    assert converted(670, 1 / rate, source="usd", target="jpy") == 1000
    assert converted(1500, Fraction(3), source="kwd", target="usd") == 450
    assert money(1000, "jpy") == "1,000 JPY"
    assert money(-123456, "usd") == "−1,234.56 USD"


def test_arpa_is_mrr_per_customer():
    """10000 / 4 = 2500; without customers it is unknown."""
    assert arpa(10000, 4) == 2500
    assert arpa(0, 0) is None


def test_churn_for_ltv_is_pooled_as_sums_over_sums():
    """(3 + 2 + 1) / (100 + 50 + 150) = 6 / 300 = 2 %."""
    windows = [MonthlyChurn(3, 100), MonthlyChurn(2, 50), MonthlyChurn(1, 150)]
    assert pooled(windows).rate == Fraction(2, 100)


def test_ltv_is_arpa_times_margin_divided_by_churn():
    """2500 x 0.8 / 0.05 = 40000."""
    result = lifetime(
        mrr=10000, customers=4, churn=MonthlyChurn(5, 100), gross_margin=Fraction(4, 5)
    )
    assert (result.ltv, result.capped) == (40000, False)


def test_churn_below_1_67_percent_is_floored_and_flagged():
    """1670 x 1 / 0.0167 = 100000, although churn is 1 / 1000."""
    result = lifetime(mrr=1670, customers=1, churn=MonthlyChurn(1, 1000), gross_margin=Fraction(1))
    assert (result.ltv, result.capped, result.churn) == (100000, True, LOWEST_CHURN)


def test_churn_of_exactly_the_floor_is_not_flagged():
    result = lifetime(
        mrr=1670, customers=1, churn=MonthlyChurn(167, 10_000), gross_margin=Fraction(1)
    )
    assert not result.capped


def test_ltv_without_customers_is_unknown():
    no_customers = MonthlyChurn(0, 0)
    assert lifetime(mrr=0, customers=0, churn=no_customers, gross_margin=Fraction(1)) is None


def test_the_quick_ratio_is_gains_divided_by_losses():
    """(400 + 200 + 100) / (150 + 200) = 2; without losses: unknown."""
    won = {"new": 400, "expansion": 200, "reactivation": 100}
    assert quick_ratio(**won, contraction=150, churn=200) == 2
    assert quick_ratio(**won, contraction=0, churn=0) is None


def test_p38_past_due_mrr_counts_and_is_at_risk():
    """1000 + 500 past due: 1500, of which 500 at risk."""
    paid = subscription(item(price(1000)))
    due = subscription(item(price(500)), status="past_due") | {"id": "sub_2"}
    result = history(stored=[paid, due])
    assert at_risk(result, at("2024-02-01")) == {"usd": 500}
    assert sum(change.amount for change in result.changes) == 1500


def test_scheduled_churn_is_what_is_scheduled_to_cancel():
    ending = subscription(item(price(700)), cancel_at_period_end=True)
    staying = subscription(item(price(500))) | {"id": "sub_2"}
    assert scheduled(history(stored=[ending, staying])) == [(at("2024-02-01"), "usd", 700)]


def test_an_event_contains_the_state_before_it():
    """2000 since February, from the oldest event; 1000 before, also from that event."""
    now = subscription(item(price(2000)))
    before = {"items": {"data": [item(price(1000))]}}
    result = history(event("updated", "2024-02-10", now, before=before), stored=[now])
    assert [(change.moment, change.amount) for change in result.changes] == [
        (at("2024-01-01"), 1000),
        (at("2024-02-10"), 2000),
    ]
