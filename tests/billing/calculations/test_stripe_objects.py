"""Stripe's own subscriptions, old and new, read strictly: the 30 of ../shared/data."""

import gzip
import json

import pytest

from billing.calculations.mrr import mrr
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.calculations.subscription import subscription_state
from common.calculations.currency import DECIMALS
from tests.billing.stripe_json import coupon, item, price, subscription, tiered
from tests.real_data import DATA, needed

FAR = 2**40  # Unix seconds when every trial is over
REFUSED = {  # field that makes a line unusable
    50: "items",
    51: "items",
    52: "items.price.interval",
    53: "currency",
    54: "currency",
    55: "currency",
    56: "currency",
    57: "currency",
    62: "status",
    155: "currency",
}


def lines():
    with gzip.open(DATA / "stripe_objects" / "stripe_objects.jsonl.gz", "rt") as file:
        return [json.loads(line)["payload"] for line in file]


def oracle():
    return json.loads((DATA / "stripe_objects" / "oracle.json").read_text())["subscriptions"]


def as_active(stripe_json):
    """Return a subscription without the fields that the oracle does not apply."""
    for row in stripe_json["items"].get("data", []):
        row.get("price", {}).pop("transform_quantity", None)
        row.pop("tax_rates", None)
    as_of_oracle = {"status": "active", "ended_at": None, "pause_collection": None}
    return stripe_json | as_of_oracle | {"default_tax_rates": []}


@needed("stripe_objects/oracle.json")
def test_the_oracle_s_mrr_is_reproduced():
    payloads, seen = lines(), 0
    for row in oracle():
        if row["mrr_minor_x12"] is None or row["line"] in REFUSED:
            continue
        payload = payloads[row["line"] - 1]
        stripe_json = payload["data"]["object"] if payload["object"] == "event" else payload
        assert 12 * mrr(subscription_state(as_active(stripe_json)), FAR) == row["mrr_minor_x12"], (
            row["line"]
        )
        seen += 1
    assert seen == 17


@needed("stripe_objects/oracle.json")
def test_a_line_with_two_currencies_is_reproduced_currency_by_currency():
    """1 x 100 USD cents and 5 x 200 EUR cents are 13200 / 12 of both, which nothing is paid in."""
    stripe_json = as_active(lines()[154]["data"]["object"])
    parts = [stripe_json | {"items": {"data": [row]}} for row in stripe_json["items"]["data"]]
    assert 12 * sum(mrr(subscription_state(part), FAR) for part in parts) == 13200


@needed("stripe_objects/oracle.json")
def test_a_daily_price_counts_365_times_a_year():
    """100 x 365 / 12."""
    stripe_json = subscription_state(lines()[58]["data"]["object"])
    assert 12 * mrr(stripe_json, FAR) == 36500


@needed("stripe_objects/oracle.json")
@pytest.mark.parametrize(("line", "field"), REFUSED.items())
def test_an_invalid_subscription_is_refused_by_field(line, field):
    payload = lines()[line - 1]
    stripe_json = payload["data"]["object"] if payload["object"] == "event" else payload
    with pytest.raises(UnusableStripeObject) as refused:
        subscription_state(stripe_json)
    assert refused.value.field == field
    assert str(refused.value).startswith(field)


@needed("stripe_objects/oracle.json")
def test_the_period_is_read_from_the_subscription_or_its_items():
    payloads = lines()
    usable = [row for row in oracle() if row["line"] not in REFUSED]
    for row in usable:
        payload = payloads[row["line"] - 1]
        stripe_json = payload["data"]["object"] if payload["object"] == "event" else payload
        assert subscription_state(stripe_json).current_period_end is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"status": "trial"}, "status"),
        ({"status": None}, "status"),
        ({"customer": None}, "customer"),
        ({"id": 7}, "id"),
        ({"currency": "eur"}, "currency"),  # its price is in usd
        ({"created": "yesterday"}, "created"),
        ({"items": {"data": []}}, "items"),
        ({"items": {"data": [item()], "has_more": True}}, "items"),
        ({"discounts": ["di_1"]}, "discounts"),
        ({"discounts": [coupon(percent=10) | {"coupon": "x"}]}, "discounts.coupon"),
        ({"discounts": [coupon(percent=10, duration="always")]}, "discounts.coupon.duration"),
        ({"discounts": [coupon(amount=5, currency="eur")]}, "discounts.coupon.currency"),
    ],
)
def test_an_unusable_subscription_names_the_field(changes, field):
    with pytest.raises(UnusableStripeObject) as refused:
        subscription_state(subscription() | changes)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (price(19.99), "items.price.unit_amount"),
        (price("1000"), "items.price.unit_amount"),
        (price(True), "items.price.unit_amount"),
        (price(-5), "items.price.unit_amount"),
        (price(None), "items.price.unit_amount"),
        (price(None, unit_amount_decimal="many"), "items.price.unit_amount_decimal"),
        (price(1000, None), "items.price.interval"),
        (price(1000, "ion"), "items.price.interval"),
        (price(1000, recurring=None, type="one_time"), "items.price.interval"),
        (price(1000, count=0), "items.price.interval_count"),
        (price(currency="zzz"), "currency"),
        (tiered("graduated"), "items.price.tiers"),
        (tiered("stairs", (None, 1, 0)), "items.price.tiers_mode"),
        ("price_1", "items.price"),
    ],
)
def test_an_unusable_price_names_the_field(row, field):
    stripe_json = subscription() | {"currency": None, "items": {"data": [item(row)]}}
    with pytest.raises(UnusableStripeObject) as refused:
        subscription_state(stripe_json)
    assert refused.value.field == field


@pytest.mark.parametrize("quantity", [2.5, "3", -1, True])
def test_a_quantity_must_be_a_whole_number(quantity):
    with pytest.raises(UnusableStripeObject, match="quantity"):
        subscription_state(subscription(item(quantity=quantity)))


def test_every_currency_has_three_letters():
    assert all(len(code) == 3 and code == code.lower() for code in DECIMALS)
