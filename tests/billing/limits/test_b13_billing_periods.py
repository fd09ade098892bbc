"""B13: usage of a billing period begins again with what buys the plan, and with nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from djstripe.models import Customer, Subscription

from billing.calculations.billing_period import paid_items
from billing.limits import usage_limits
from billing.models import LimitException, StripeCustomer, UsageMeter
from tests.billing import stripe_json
from tests.billing.limited_usage import plan, price, ran

NOW = datetime(2024, 5, 29, 12, tzinfo=UTC)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def item(price_id, start, end, **recurring):
    own = stripe_json.price() | {"id": price_id}
    own["recurring"] |= recurring
    edges = {"current_period_start": start, "current_period_end": end}
    return stripe_json.item(own) | {name: stripe_json.at(text) for name, text in edges.items()}


def anchored(anchor, start, end, **recurring):
    """Return the period of a subscription that began at `anchor`."""
    row = stripe_json.subscription(
        item("price_pro", start, end, **recurring),
        billing_cycle_anchor=anchor and stripe_json.at(anchor),
    )
    (paid,) = paid_items(row)
    return paid.period


@pytest.fixture
def meter(db):
    UsageMeter.objects.filter(slug="workflow_runs").update(period="billing")
    price("price_pro")
    price("price_team", plan="team")
    ran(event="seen", at=NOW - timedelta(days=60))
    ran(5, at=at("2024-05-20"))


def buys(*subscriptions):
    Customer.objects.create(id="cus_1", stripe_data={"id": "cus_1"})
    StripeCustomer.objects.create(customer_id="cus_1", distinct_id_id="ada")
    for number, row in enumerate(subscriptions):
        row |= {"id": f"sub_{number}"}
        created = datetime.fromtimestamp(row["created"], UTC)
        Subscription.objects.create(
            id=row["id"], customer_id="cus_1", stripe_data=row, created=created
        )


def runs(now=NOW):
    return usage_limits.check("ada", "workflow_runs", now=now).meter_usage


PRO = stripe_json.subscription(item("price_pro", "2024-05-10", "2024-06-10"), created="2024-01-10")


def test_b13_an_add_on_bought_later_does_not_begin_the_period_again(meter):
    add_on = item("price_add_on", "2024-05-29", "2024-06-29")
    buys(PRO, stripe_json.subscription(add_on, created="2024-05-29"))
    usage = runs()
    assert (usage.usage.used, usage.plan.slug) == (5, "pro")
    assert usage.window.end == at("2024-06-10")


def test_b13_an_add_on_in_the_same_subscription_has_its_own_period(meter):
    items = [
        item("price_add_on", "2024-05-29", "2024-06-29"),
        item("price_pro", "2024-05-10", "2024-06-10"),
    ]
    buys(stripe_json.subscription(*items, created="2024-01-10"))
    assert runs().window.end == at("2024-06-10")


def test_b13_the_higher_of_two_paid_plans_decides(meter):
    team = item("price_team", "2024-05-25", "2024-06-25")
    buys(PRO, stripe_json.subscription(team, created="2024-05-25"))
    assert (runs().window.end, runs().usage.used) == (at("2024-06-25"), 0)


def test_b13_a_second_subscription_of_the_same_plan_does_not_begin_it_again(meter):
    again = item("price_pro", "2024-05-29", "2024-06-29")
    buys(PRO, stripe_json.subscription(again, created="2024-05-29"))
    assert runs().window.end == at("2024-06-10")


def test_b13_who_buys_no_plan_has_calendar_months(meter):
    add_on = item("price_add_on", "2024-05-29", "2024-06-29")
    buys(stripe_json.subscription(add_on, created="2024-05-29"))
    assert (runs().window.end, runs().usage.used) == (at("2024-06-01"), 5)


def test_b13_an_exception_leaves_the_period_of_what_is_paid(meter):
    buys(PRO)
    before = runs().window
    LimitException.objects.create(
        distinct_id_id="ada", plan=plan("team"), ends_on=NOW.date(), reason="Trial"
    )
    assert (runs().plan.slug, runs().window) == ("team", before)


@pytest.mark.parametrize(
    ("anchor", "start", "end", "now", "expected"),
    [
        ("2024-01-31", "2024-01-31", "2024-02-29", "2024-02-10", ("2024-01-31", "2024-02-29")),
        ("2024-01-31", "2024-01-31", "2024-02-29", "2024-02-29", ("2024-02-29", "2024-03-31")),
        ("2024-01-31", "2024-01-31", "2024-02-29", "2024-04-30", ("2024-04-30", "2024-05-31")),
        ("2024-01-30", "2024-03-30", "2024-04-30", "2024-05-30", ("2024-05-30", "2024-06-30")),
        # what the anchor does not say, the longer month does
        (None, "2024-02-29", "2024-03-31", "2024-04-15", ("2024-03-31", "2024-04-30")),
        # the renewal arrives a moment early by our clock
        ("2024-01-31", "2024-02-29", "2024-03-31", "2024-02-28", ("2024-01-31", "2024-02-29")),
    ],
)
def test_b13_months_that_began_on_the_31st_end_with_shorter_months(
    anchor, start, end, now, expected
):
    period = anchored(anchor, start, end).around(at(now))
    assert period == tuple(map(at, expected))


@pytest.mark.parametrize(
    ("recurring", "start", "end", "now", "expected"),
    [
        ({"interval": "year"}, "2024-02-29", "2025-02-28", "2028-03-01", "2028-02-29"),
        ({"interval_count": 3}, "2023-11-30", "2024-02-29", "2024-03-01", "2024-02-29"),
        ({"interval_count": 3}, "2023-11-30", "2024-02-29", "2024-06-01", "2024-05-30"),
        ({"interval": "week"}, "2024-05-06", "2024-05-13", "2024-05-29", "2024-05-27"),
        ({"interval": "day", "interval_count": 10}, "2024-05-01", "2024-05-11", "2024-05-29",
         "2024-05-21"),
    ],
)  # fmt: skip
def test_b13_other_intervals_begin_when_stripe_begins_them(recurring, start, end, now, expected):
    period = anchored(start, start, end, **recurring)
    assert period.around(at(now))[0] == at(expected)


def test_b13_a_configured_day_wins_over_that_of_the_first_period():
    row = stripe_json.subscription(
        item("price_pro", "2024-02-29", "2024-03-31"),
        billing_cycle_anchor=stripe_json.at("2024-02-29"),
        billing_cycle_anchor_config={"day_of_month": 31},
    )
    (paid,) = paid_items(row)
    assert paid.period.around(at("2024-05-01")) == (at("2024-04-30"), at("2024-05-31"))


def test_b13_the_next_period_is_the_one_that_stripe_makes(meter):
    """The same start before and after the renewal arrives, so that no usage is lost."""
    row = PRO | {"billing_cycle_anchor": stripe_json.at("2024-01-10")}
    buys(row)
    late = runs(at("2024-06-12")).window
    renewed = row | {"items": {"data": [item("price_pro", "2024-06-10", "2024-07-10")]}}
    Subscription.objects.update(stripe_data=renewed)
    assert late == runs(at("2024-06-12")).window


@pytest.mark.parametrize(
    "broken",
    [
        {"current_period_start": None},
        {"current_period_start": "2024"},
        {"current_period_end": 10**20},
        {"current_period_end": 0},
        {"price": {"id": "price_pro", "recurring": {"interval_count": -1, "interval": "month"}}},
        {"price": "price_pro"},
    ],
)
def test_b13_an_unusable_period_takes_no_rights(meter, broken):
    row = item("price_pro", "2024-05-10", "2024-06-10") | broken
    buys(PRO | {"items": {"data": [row]}})
    assert runs().plan.slug == "pro"


def test_b13_old_formats_have_the_period_on_the_subscription():
    edges = {
        "current_period_start": stripe_json.at("2017-01-31"),
        "current_period_end": stripe_json.at("2017-02-28"),
    }
    plan = {"id": "gold-monthly", "interval": "month", "interval_count": 1}
    (paid,) = paid_items({"plan": plan, "quantity": 1, **edges})
    assert paid.price_id == "gold-monthly"
    assert paid.period.around(at("2017-03-01"))[1] == at("2017-03-31")
