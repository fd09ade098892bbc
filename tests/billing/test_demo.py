"""The demo company's customers: realistic, reproducible by seed, and completely removable."""

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.db.models import Model

from analytics import demo as company
from analytics.models import Event
from billing import demo
from billing.models import (
    CashEntry,
    HeldObject,
    MrrMovement,
    PlanPrice,
    RevenueCustomer,
    StripeCustomer,
    StripeEvent,
)
from billing.revenue import ledger_check, mrr
from billing.stripe import gateway
from operational.overview import demo_data
from tests.snapshots import build_once

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(time_machine):
    time_machine.move_to(NOW, tick=False)
    build_once("people", lambda: company.load(persons=400, days=180, until=NOW, seed=1))


@pytest.fixture
def many_people(time_machine):
    time_machine.move_to(NOW, tick=False)
    build_once("many people", lambda: company.load(persons=1_200, days=180, until=NOW, seed=1))


@pytest.fixture
def customers(people):
    build_once("customers", lambda: demo.load(until=NOW, seed=1))


@pytest.fixture
def many_customers(many_people):
    build_once("many customers", lambda: demo.load(until=NOW, seed=1))


def ledger():
    rows = MrrMovement.objects.order_by("customer_id", "day")
    return list(rows.values_list("customer_id", "day", "kind", "amount", "closing"))


def test_the_demo_has_every_kind_of_movement_and_adds_up(many_customers):
    assert StripeCustomer.objects.count() > 20
    kinds = set(MrrMovement.objects.values_list("kind", flat=True))
    assert kinds == {"new", "reactivation", "expansion", "contraction", "churn"}
    assert ledger_check.check() == []
    assert not HeldObject.objects.exists()
    assert mrr.report(as_of=NOW.date()).mrr > 50_000
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {"applied"}


def test_some_payments_fail_or_are_refunded(many_customers):
    assert set(CashEntry.objects.values_list("kind", flat=True)) == {"payment", "refund"}
    for name in ("subscription_created", "payment_failed", "payment_refunded"):
        assert Event.objects.filter(event=name, person__is_demo=True).exists()


def test_the_same_seed_gives_the_same_ledger(customers):
    first = ledger()
    demo.clear()
    assert ledger() == []
    assert demo.load(until=NOW, seed=1) == StripeCustomer.objects.count()
    assert ledger() == first
    demo.clear()
    demo.load(until=NOW, seed=2)
    assert ledger() != first


def test_clearing_leaves_nothing_behind(customers):
    demo_data.remove(now=NOW)
    models: list[type[Model]] = [*apps.get_app_config("djstripe").get_models()]
    models += [StripeEvent, StripeCustomer, CashEntry, MrrMovement, PlanPrice, RevenueCustomer]
    assert [model for model in models if model._default_manager.exists()] == []


def test_clearing_keeps_real_customers(customers):
    gateway.store(
        {"id": "cus_real", "object": "customer", "email": "real@example.com"},
        as_of=gateway.moment(),
    )
    demo.clear()
    assert gateway.stored("customer", "cus_real")


def test_the_demo_prices_can_be_bought_at_the_fake_stripe(people, stripe_account):
    demo.load(until=NOW, seed=1)
    at_stripe = {price["id"] for price in gateway.every("price")}
    assert set(PlanPrice.objects.values_list("price_id", flat=True)) <= at_stripe
    demo.clear()
    demo.load(until=NOW, seed=1)
    assert {price["id"] for price in gateway.every("price")} == at_stripe


def test_a_real_stripe_account_gets_no_made_up_prices(people, settings):
    settings.STRIPE_SECRET_KEY, settings.STRIPE_IS_FAKE = "sk_test_" + "real" * 8, False
    demo.load(until=NOW, seed=1)
    assert not PlanPrice.objects.exists()
    assert RevenueCustomer.objects.exists()
