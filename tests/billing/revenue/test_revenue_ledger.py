"""The MRR ledger: movements per customer and day, from Stripe's events. Amounts are cents."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from analytics.models import Person
from billing.models import FxRate, HeldObject, MrrDay, MrrMovement, RevenueCustomer
from billing.revenue import ledger, ledger_check, mrr
from billing.revenue import settings as revenue_settings
from billing.stripe.signals import stripe_changed
from tests.billing.stripe_json import Store, at, coupon, item, price, subscription
from tests.property_tests import examples

NOW = datetime(2024, 12, 31, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(monkeypatch, time_machine):
    time_machine.move_to(NOW, tick=False)
    return Store().install(monkeypatch)


def pays(amount=1000, *, sub="sub_1", customer="cus_1", currency="usd", **more):
    own_price = price(amount, currency=currency)
    return subscription(item(own_price), **more) | {"id": sub, "customer": customer}


def ended(day, amount=1000, **more):
    return pays(amount, status="canceled", ended_at=day, canceled_at=day, **more)


def rows():
    """Return every movement as (customer, day, kind, amount)."""
    movements = MrrMovement.objects.order_by("customer_id", "day", "currency")
    return [(row.customer_id, str(row.day), row.kind, row.amount) for row in movements]


def recount(*customers):
    ledger.recount(customers or {"cus_1"}, now=NOW)
    return [(day, kind, amount) for _, day, kind, amount in rows()]


def everything():
    models = (MrrMovement, MrrDay, RevenueCustomer, HeldObject)
    return [sorted(str({**row, "id": 0}) for row in model.objects.values()) for model in models]


def rate(day, value, currency="eur"):
    FxRate.objects.create(day=day, currency=currency, into="usd", rate=Decimal(value))


def test_the_life_of_a_customer(stripe):
    """+1000; 1000 -> 1500 is +500; 1500 -> 700 is -800; 700 -> 0 is -700; then +900 again."""
    stripe.record("created", "2024-01-01", pays(1000))
    stripe.record("updated", "2024-02-01", pays(1500))
    stripe.record("updated", "2024-03-01", pays(700))
    stripe.record("deleted", "2024-04-01", ended("2024-04-01", 700))
    stripe.record("created", "2024-06-01", pays(900, sub="sub_2", created="2024-06-01"))
    assert recount() == [
        ("2024-01-01", "new", 1000),
        ("2024-02-01", "expansion", 500),
        ("2024-03-01", "contraction", -800),
        ("2024-04-01", "churn", -700),
        ("2024-06-01", "reactivation", 900),
    ]
    assert ledger_check.check() == []


def test_p13_a_cancellation_with_three_events_subtracts_once(stripe):
    """1000 - 1000 = 0, and not -2000."""
    stripe.record("created", "2024-01-01", pays())
    stripe.record("updated", "2024-03-01", pays(cancel_at_period_end=True))
    for moment in ("2024-03-31T10:00", "2024-03-31T11:00", "2024-04-02"):
        stripe.record("deleted", moment, ended("2024-03-31"), event_id="evt_000")
    assert recount() == [("2024-01-01", "new", 1000), ("2024-03-31", "churn", -1000)]


def test_p37_a_new_price_in_a_new_subscription_is_expansion_not_churn(stripe):
    """-1000 and +1500 on one day are +500."""
    stripe.record("created", "2024-01-01", pays(1000))
    stripe.record("deleted", "2024-05-01T10:00", ended("2024-05-01T10:00"))
    stripe.record(
        "created", "2024-05-01T15:00", pays(1500, sub="sub_2", created="2024-05-01T15:00")
    )
    assert recount() == [("2024-01-01", "new", 1000), ("2024-05-01", "expansion", 500)]


def test_p16_a_late_event_does_not_overwrite_newer_state(stripe):
    """2000 is newer than the 1000 that arrived last."""
    stripe.record("updated", "2024-02-01", pays(2000))
    newest = stripe.subscriptions["sub_1"]
    stripe.record("created", "2024-01-01", pays(1000))
    stripe.subscriptions["sub_1"] = newest
    assert recount() == [("2024-01-01", "new", 1000), ("2024-02-01", "expansion", 1000)]
    assert mrr.level(date(2024, 12, 30)).mrr == 2000


def test_p14_a_repeating_discount_ends_and_a_permanent_discount_does_not(stripe):
    """1000 - 50 % = 500; at the end of three months +500. 1000 - 20 % = 800 permanently."""
    months = coupon(percent=50, duration="repeating", end="2024-04-01")
    stripe.record("created", "2024-01-01", pays(discounts=[months]))
    lasting = pays(customer="cus_2", sub="sub_2", discounts=[coupon(percent=20)])
    stripe.record("created", "2024-01-01", lasting)
    ledger.recount({"cus_1", "cus_2"}, now=NOW)
    assert rows() == [
        ("cus_1", "2024-01-01", "new", 500),
        ("cus_1", "2024-04-01", "expansion", 500),
        ("cus_2", "2024-01-01", "new", 800),
    ]


def test_a_future_change_enters_the_ledger_on_its_day(stripe):
    """500 now; 1000 once the discount is over."""
    months = coupon(percent=50, duration="repeating", end="2025-01-10")
    stripe.record("created", "2024-12-01", pays(discounts=[months], created="2024-12-01"))
    assert recount() == [("2024-12-01", "new", 500)]
    assert RevenueCustomer.objects.get().changes_on == date(2025, 1, 10)
    ledger.recount_due(now=datetime(2025, 1, 10, 1, tzinfo=UTC))
    assert rows()[-1] == ("cus_1", "2025-01-10", "expansion", 500)


def test_a_trial_is_new_mrr_when_it_is_paid(stripe):
    stripe.record("created", "2024-01-01", pays(status="trialing", trial_end="2024-01-15"))
    assert recount() == []
    stripe.record("updated", "2024-01-15", pays(trial_start="2024-01-01", trial_end="2024-01-15"))
    assert recount() == [("2024-01-15", "new", 1000)]


def test_p38_past_due_stays_in_mrr_and_unpaid_does_not(stripe):
    stripe.record("created", "2024-01-01", pays())
    stripe.record("updated", "2024-02-01", pays(status="past_due"))
    assert recount() == [("2024-01-01", "new", 1000)]
    assert mrr.report(as_of=date(2024, 12, 30)).at_risk == 1000
    stripe.record("updated", "2024-03-01", pays(status="unpaid"))
    assert recount()[-1] == ("2024-03-01", "churn", -1000)
    assert mrr.report(as_of=date(2024, 12, 30)).at_risk == 0


def test_an_object_without_events_has_its_own_history(stripe):
    """Loaded from a file: 1000 from its creation to its end."""
    stripe.subscriptions["sub_1"] = ended("2024-03-15", created="2023-05-05")
    assert recount() == [("2023-05-05", "new", 1000), ("2024-03-15", "churn", -1000)]


def test_the_stored_object_corrects_the_newest_event(stripe):
    """An update without an event: 1000 became 1200 with the newest event."""
    stripe.record("created", "2024-01-01", pays(1000))
    stripe.record("updated", "2024-02-01", pays(1000, metadata={"a": "b"}))
    stripe.subscriptions["sub_1"] = pays(1200)
    assert recount() == [("2024-01-01", "new", 1000), ("2024-02-01", "expansion", 200)]


def test_days_follow_the_time_zone(stripe, settings):
    """23:30 UTC on New Year's Eve is New Year in Berlin."""
    settings.PLUMBLINE_TIME_ZONE = "Europe/Berlin"
    moment = "2023-12-31T23:30"
    stripe.record("created", moment, pays(created=moment))
    assert recount() == [("2024-01-01", "new", 1000)]


def test_every_movement_names_its_source_objects(stripe):
    stripe.record("created", "2024-01-01", pays(), event_id="evt_a")
    recount()
    assert set(MrrMovement.objects.get().sources) == {"sub_1", "evt_a"}


def test_an_unusable_object_is_held_with_a_reason_and_the_rest_counts(stripe):
    stripe.record("created", "2024-01-01", pays())
    stripe.subscriptions["sub_2"] = pays(sub="sub_2", status="trial")
    assert recount() == [("2024-01-01", "new", 1000)]
    held = HeldObject.objects.get()
    assert (held.stripe_id, held.field) == ("sub_2", "status")
    assert "trial" in held.reason


class TestCurrencies:
    def test_a_movement_is_converted_at_the_rate_of_its_day(self, stripe):
        """1000 x 1.10 = 1100; then +500 x 1.20 = 600."""
        rate("2024-01-01", "1.10")
        rate("2024-02-01", "1.20")
        stripe.record("created", "2024-01-01", pays(1000, currency="eur"))
        stripe.record("updated", "2024-02-01", pays(1500, currency="eur"))
        assert recount() == [("2024-01-01", "new", 1100), ("2024-02-01", "expansion", 600)]
        row = MrrMovement.objects.earliest("day")
        assert (row.currency, row.original_amount, row.fx_rate) == ("eur", 1000, Decimal("1.1"))

    def test_nothing_is_left_of_a_customer_who_leaves(self, stripe):
        """Added as 1000 x 1.10 = 1100, removed as 1100, although the rate is 1.20 by then."""
        rate("2024-01-01", "1.10")
        rate("2024-02-01", "1.20")
        stripe.record("created", "2024-01-01", pays(1000, currency="eur"))
        stripe.record("deleted", "2024-02-01", ended("2024-02-01", currency="eur"))
        assert recount()[-1] == ("2024-02-01", "churn", -1100)
        assert mrr.level(date(2024, 12, 30)) == mrr.MrrLevel(0, 0)

    def test_a_rate_stays_frozen_unless_new_rates_are_requested(self, stripe):
        """1.10 stays, although the table now has 1.30: 1100; with new rates: 1300."""
        rate("2024-01-01", "1.10")
        stripe.record("created", "2024-01-01", pays(1000, currency="eur"))
        recount()
        FxRate.objects.update(rate=Decimal("1.30"))
        assert recount() == [("2024-01-01", "new", 1100)]
        ledger.rebuild(now=NOW)
        assert rows()[0][-1] == 1100
        ledger.recount({"cus_1"}, now=NOW, new_rates=True)
        assert rows()[0][-1] == 1300

    def test_without_a_rate_an_amount_is_held_reported_and_not_guessed(self, stripe):
        rate("2023-12-01", "1.10")  # too old for January
        stripe.record("created", "2024-01-01", pays(1000, currency="eur"))
        assert recount() == [("2024-01-01", "held", 0)]
        (held,) = mrr.report(as_of=date(2024, 12, 30)).held
        assert (held.currency, held.amount, held.movements) == ("eur", 1000, 1)
        assert mrr.level(date(2024, 12, 30)) == mrr.MrrLevel(0, 0)
        assert ledger_check.check() == []

    def test_a_later_rate_releases_held_amounts(self, stripe):
        stripe.record("created", "2024-01-01", pays(1000, currency="eur"))
        recount()
        rate("2023-12-31", "1.10")
        ledger.recount_due(now=NOW)
        assert rows() == [("cus_1", "2024-01-01", "new", 1100)]

    def test_yen_have_no_decimals(self, stripe):
        """1000 JPY x 0.0067 = 6.70 USD = 670 cents."""
        rate("2024-01-01", "0.0067", "jpy")
        stripe.record("created", "2024-01-01", pays(1000, currency="jpy"))
        assert recount() == [("2024-01-01", "new", 670)]

    def test_another_reporting_currency_needs_a_rebuild_and_says_so(self, stripe):
        stripe.record("created", "2024-01-01", pays(1000))
        recount()
        settings = revenue_settings.current()
        settings.reporting_currency = "eur"
        settings.save()
        assert "USD -> EUR" in revenue_settings.rebuild_needed()
        assert mrr.report(as_of=date(2024, 12, 30)).currency == "usd"
        FxRate.objects.create(day="2024-01-01", currency="usd", into="eur", rate=Decimal("0.9"))
        ledger.rebuild(now=NOW)
        assert rows() == [("cus_1", "2024-01-01", "new", 900)]
        assert revenue_settings.rebuild_needed() == ""


class TestExcluded:
    def test_an_excluded_persons_customer_is_not_in_any_sum(self, stripe):
        person = Person.objects.create(excluded=True)
        stripe.persons["cus_1"] = person.pk
        stripe.record("created", "2024-01-01", pays())
        recount()
        assert mrr.level(date(2024, 12, 30)) == mrr.MrrLevel(0, 0)
        Person.objects.update(excluded=False)
        ledger.recount_due(now=NOW)
        assert mrr.level(date(2024, 12, 30)) == mrr.MrrLevel(1000, 1)


def test_p15_a_repeated_signal_changes_nothing(stripe):
    stripe.record("created", "2024-01-01", pays())
    stripe_changed.send(sender=None, customer_ids={"cus_1"})
    before = everything()
    stripe_changed.send(sender=None, customer_ids={"cus_1"})
    assert everything() == before
    assert ledger.recount({"cus_1"}, now=NOW) == 0


def test_the_check_detects_a_day_that_does_not_add_up(stripe):
    stripe.record("created", "2024-01-01", pays())
    recount()
    MrrDay.objects.update(new=999)
    assert [(row.subject, row.expected, row.actual) for row in ledger_check.check()] == [
        ("MRR", 1000, 999)
    ]


def test_the_check_detects_a_movement_that_does_not_follow(stripe):
    stripe.record("created", "2024-01-01", pays())
    recount()
    MrrMovement.objects.update(amount=900)
    MrrDay.objects.update(new=900)
    subjects = {row.subject for row in ledger_check.check()}
    assert subjects == {"MRR", "movements of cus_1"}


AMOUNTS = st.integers(0, 5000)
STATUSES = st.sampled_from(
    ["active", "active", "active", "past_due", "trialing", "unpaid", "paused", "canceled"]
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["cus_1", "cus_2"]),
        st.sampled_from(["a", "b"]),
        st.integers(1, 28),
        STATUSES,
        AMOUNTS,
        st.sampled_from(["usd", "eur", "jpy", "chf"]),
    ),
    max_size=14,
)


def apply_steps(store, steps):
    """Record steps in order of time; a subscription keeps its currency and ends once."""
    currencies: dict[str, str] = {}
    over = set()
    for number, (customer, name, day, status, amount, currency) in enumerate(
        sorted(steps, key=lambda s: s[2])
    ):
        sub = f"sub_{customer}_{name}"
        if sub in over:
            continue
        moment = f"2024-03-{day:02}T00:00:{number:02}"
        stripe_json = pays(
            amount,
            sub=sub,
            customer=customer,
            currency=currencies.setdefault(sub, currency),
            status=status,
            created="2024-03-01",
            ended_at=moment if status == "canceled" else None,
        )
        if status == "canceled":
            over.add(sub)
        store.record("deleted" if status == "canceled" else "updated", moment, stripe_json)


@examples(60)
@given(steps=STEPS, data=st.data())
def test_any_history_adds_up_every_day_and_equals_a_rebuild(stripe, steps, data):
    with transaction.atomic():
        stripe.clear()
        rate("2024-02-28", "1.1")
        rate("2024-03-04", "1.2")
        rate("2024-03-02", "0.0067", "jpy")  # chf has none, and jpy none from the 10th on
        apply_steps(stripe, steps)
        events = stripe.events
        stripe.events = []
        for event in events:  # sequentially, as they are delivered
            stripe.events.append(event)
            ledger.recount({"cus_1", "cus_2"}, now=NOW)
        kept = everything()
        assert ledger_check.check() == []
        stripe.events = data.draw(st.permutations(events + events))
        assert ledger.recount({"cus_1", "cus_2"}, now=NOW) == 0
        assert everything() == kept
        ledger.rebuild(now=NOW)
        assert everything() == kept
        transaction.set_rollback(True)


def test_the_ledger_ends_with_the_mrr_of_the_subscriptions(stripe):
    """1000 + 2000 / 2 months + nothing for the trial = 2000."""
    stripe.record("created", "2024-01-01", pays(1000))
    two_months = subscription(item(price(2000, "month", 2))) | {"id": "sub_2"}
    stripe.record("created", "2024-01-05", two_months)
    stripe.record("created", "2024-01-05", pays(status="trialing", sub="sub_3"))
    recount()
    assert mrr.level(date(2024, 12, 30)) == mrr.MrrLevel(2000, 1)
    assert RevenueCustomer.objects.get().mrr == 2000
    assert at("2024-01-01") == 1704067200


def test_ids_with_special_characters_are_kept(stripe):
    odd = 'cus_"\\{},\t\n1'
    stripe.record("created", "2024-01-01", pays(customer=odd, sub='sub_"\\{},\t1'))
    assert ledger.recount({odd}, now=NOW) == 1
    assert ledger.recount({odd}, now=NOW) == 0
    row = MrrMovement.objects.get()
    assert (row.customer_id, row.sources[0]) == (odd, 'sub_"\\{},\t1')
