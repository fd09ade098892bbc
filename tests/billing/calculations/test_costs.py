"""What a subscription costs, from everything at Stripe that changes it. Amounts are cents."""

from fractions import Fraction

import pytest

from billing.calculations.history import customer_history, with_tax
from billing.calculations.stripe_completion import completed
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.calculations.subscription import subscription_state
from tests.billing.stripe_json import (
    at,
    coupon,
    item,
    monthly,
    price,
    subscription,
    tiered,
)

VAT = {"object": "tax_rate", "percentage": 19.0, "inclusive": True}
AMOUNT_OFF = coupon(amount=1000)


def product(name, amount=10000):
    return item(price(amount, product=name))


def cost(stripe_json, *stored_objects, day="2024-01-15"):
    """Return the MRR of a subscription with further objects stored, at a day."""
    result = priced(stripe_json, *stored_objects)
    so_far = [change.amount for change in result.changes if change.moment <= at(day)]
    return so_far[-1] if so_far else 0


def priced(stripe_json, *stored_objects):
    objects = {(row["object"], row["id"]): row for row in stored_objects}
    return customer_history([stripe_json], [], stored=lambda *key: objects.get(key))


class TestMixedIntervals:
    """An amount off counts once for each invoice that it reduces."""

    @pytest.mark.parametrize(
        ("intervals", "expected"),
        [
            ([(1000, "month", 1), (12000, "year", 1)], 1000),  # 11 of 0, one of 12000: 12000 / 12
            ([(3000, "month", 1), (12000, "year", 1)], 3000),  # 11 x 2000 + 14000 = 36000
            ([(1000, "month", 1), (6000, "month", 3)], 2000),  # 8 of 0, four of 6000
            ([(1500, "month", 2), (1500, "month", 3)], Fraction(3500, 6)),  # 3 x 500, 1 x 2000
            ([(5000, "year", 1), (30000, "year", 2)], Fraction(38000, 24)),  # 4000, then 34000
        ],
    )
    def test_b05_an_amount_off_counts_per_invoice_of_mixed_intervals(self, intervals, expected):
        items = [item(price(*interval)) for interval in intervals]
        assert monthly(*items, discounts=[AMOUNT_OFF]) == expected

    def test_b05_of_a_restricted_amount_off_only_invoices_with_the_product_count(self):
        """The coupon is for the yearly product: one invoice a year is 1000 less."""
        restricted = coupon(amount=1000, applies_to={"products": ["y"]})
        items = [item(price(1000)), item(price(12000, "year", product="y"))]
        assert monthly(*items, discounts=[restricted]) == 1000 + Fraction(11000, 12)

    def test_b05_weeks_and_days_share_invoices(self):
        """Six daily invoices of 0; on the seventh day 100 + 1000 - 100: all of the weekly item."""
        items = [item(price(100, "day")), item(price(1000, "week"))]
        off = coupon(amount=100)
        together = Fraction(1000, 1100) * 1000
        daily = Fraction(1000, 1100) * 100 / 7 * Fraction(365, 12)
        assert monthly(*items, discounts=[off]) == together * Fraction(52, 12) + daily

    def test_b05_a_percentage_is_the_same_on_every_invoice(self):
        items = [item(price(1000)), item(price(12000, "year"))]
        assert monthly(*items, discounts=[coupon(percent=10)]) == 1800


class TestInclusiveTax:
    @pytest.mark.parametrize("where", ["subscription", "item"])
    def test_b03_inclusive_tax_is_not_mrr(self, where):
        """11900 with 19 % inside are 10000."""
        own_price = price(11900, tax_behavior="inclusive")
        if where == "item":
            assert monthly(item(own_price, tax_rates=[VAT])) == 10000
        else:
            assert monthly(item(own_price), default_tax_rates=[VAT]) == 10000

    def test_b03_rates_of_an_item_replace_those_of_the_subscription(self):
        reduced = VAT | {"percentage": 7.0}
        row = item(price(10700), tax_rates=[reduced])
        assert monthly(row, default_tax_rates=[VAT]) == 10000

    def test_b03_only_inclusive_ones_of_several_rates_are_inside(self):
        """5 % and 9.975 % inside, and 3 % on top."""
        rates = [VAT | {"percentage": 5}, VAT | {"percentage": 9.975}]
        on_top = {"percentage": 3, "inclusive": False}
        assert monthly(item(price(114975)), default_tax_rates=[*rates, on_top]) == 100000

    def test_b03_a_discount_comes_off_before_the_tax_is_taken_out(self):
        """(11900 - 1190) / 1.19 = 9000."""
        row = item(price(11900))
        assert monthly(row, default_tax_rates=[VAT], discounts=[coupon(amount=1190)]) == 9000

    def test_b03_a_tax_of_unknown_rate_counts_and_is_said_to_be_included(self):
        taxed = item(price(11900, tax_behavior="inclusive"))
        automatic = subscription(taxed, item(price(500)), automatic_tax={"enabled": True})
        history = priced(automatic)
        assert history.changes[-1].amount == 12400
        assert with_tax(history, at("2024-02-01")) == {"usd": 11900}

    def test_b03_a_tax_of_a_rate_that_is_there_is_not_said_to_be_included(self):
        row = item(price(11900, tax_behavior="inclusive"), tax_rates=[VAT])
        history = priced(subscription(row, automatic_tax={"enabled": True}))
        assert (history.changes[-1].amount, with_tax(history, at("2024-02-01"))) == (10000, {})

    def test_b03_an_inclusive_price_without_any_tax_contains_none(self):
        history = priced(subscription(item(price(11900, tax_behavior="inclusive"))))
        assert (history.changes[-1].amount, with_tax(history, at("2024-02-01"))) == (11900, {})

    def test_b03_a_rate_that_is_only_an_id_is_not_taken_for_none(self):
        with pytest.raises(UnusableStripeObject, match="tax_rates"):
            subscription_state(subscription(item(tax_rates=["txr_1"])))


class TestCurrencies:
    EUR = {"eur": {"unit_amount": 900, "unit_amount_decimal": "900"}}

    def test_b04_a_price_counts_in_the_currency_of_the_subscription(self):
        sold = price(1000, currency_options=self.EUR)
        assert monthly(item(sold), currency="eur") == 900

    def test_b04_a_coupon_takes_off_its_amount_in_that_currency(self):
        off = coupon(amount=1000, currency_options={"eur": {"amount_off": 900}})
        row = item(price(10000, currency="eur"))
        assert monthly(row, currency="eur", discounts=[off]) == 9100

    def test_b04_what_the_payload_leaves_out_is_read_from_the_stored_price(self):
        stored = price(1000, currency_options=self.EUR)
        history = priced(subscription(item(price(1000)), currency="eur"), stored)
        assert [(c.currency, c.amount) for c in history.changes] == [("eur", 900)]

    def test_b04_tiers_count_in_that_currency(self):
        """5 x 90 + 3 x 70."""
        rows = [{"up_to": 5, "unit_amount": 90}, {"up_to": None, "unit_amount": 70}]
        sold = tiered("graduated", (5, 100, 0), (None, 80, 0))
        stored = sold | {"currency_options": {"eur": {"tiers": rows}}}
        assert cost(subscription(item(sold, 8), currency="eur"), stored) == 660

    def test_b04_the_tax_behavior_is_that_of_the_currency(self):
        option = {"unit_amount": 900, "tax_behavior": "inclusive"}
        sold = price(1000, tax_behavior="exclusive", currency_options={"eur": option})
        automatic = subscription(item(sold), currency="eur", automatic_tax={"enabled": True})
        assert with_tax(priced(automatic), at("2024-02-01")) == {"eur": 900}

    def test_b04_a_price_that_is_not_sold_in_the_currency_is_held(self):
        history = priced(subscription(item(price(1000)), currency="chf"))
        assert [held.field for held in history.held] == ["currency"]


class TestStoredCoupons:
    """An embedded coupon lacks what Stripe sends only if it is expanded."""

    STORED = coupon(percent=50)["coupon"] | {"object": "coupon"}

    def limited(self, **more):
        return self.STORED | {"applies_to": {"products": ["prod_x"]}} | more

    def test_b02_a_coupon_applies_to_the_products_of_the_stored_one(self):
        """Half of 10000, and 10000."""
        both = subscription(product("prod_x"), product("prod_y"), discounts=[coupon(percent=50)])
        assert cost(both, self.limited()) == 15000

    @pytest.mark.parametrize("missing", [{"applies_to": None}, {}])
    def test_b02_the_same_in_the_current_format_and_with_a_null(self, missing):
        row = coupon(percent=50, **missing)
        row["source"] = {"type": "coupon", "coupon": row.pop("coupon")}
        both = subscription(product("prod_x"), product("prod_y"), discounts=[row])
        assert cost(both, self.limited()) == 15000

    def test_b02_the_same_for_a_discount_of_an_item(self):
        rows = [item(price(10000, product=name), discounts=[coupon(percent=50)]) for name in "yx"]
        assert cost(subscription(*rows), self.limited(applies_to={"products": ["x"]})) == 15000

    def test_b02_a_new_coupon_with_the_id_of_a_deleted_one_is_another(self):
        old = coupon(percent=50, created=1)
        both = subscription(product("prod_x"), product("prod_y"), discounts=[old])
        assert cost(both, self.limited(created=2)) == 10000

    def test_b02_the_payload_s_own_percentage_counts(self):
        both = subscription(product("prod_x"), product("prod_y"), discounts=[coupon(percent=20)])
        assert cost(both, self.limited()) == 18000


class TestOnlyIds:
    """B21: objects of a file that others name by id."""

    COUPON = coupon(percent=10)["coupon"] | {"object": "coupon"}

    @pytest.mark.parametrize(
        "discount",
        [
            coupon(percent=10) | {"coupon": "coupon"},
            coupon(percent=10) | {"coupon": None, "source": {"type": "coupon", "coupon": "coupon"}},
        ],
    )
    def test_b21_a_coupon_that_is_only_an_id(self, discount):
        assert cost(subscription(item(price(10000)), discounts=[discount]), self.COUPON) == 9000

    def test_b21_a_discount_that_is_only_an_id(self):
        stored = coupon(percent=10) | {"coupon": "coupon"}
        named = subscription(item(price(10000)), discounts=["di_1"])
        assert cost(named, stored, self.COUPON) == 9000

    def test_b21_the_single_discount_of_an_old_version(self):
        old = subscription(item(price(10000))) | {"discount": coupon() | {"coupon": "coupon"}}
        assert cost(old | {"discounts": None}, self.COUPON) == 9000

    @pytest.mark.parametrize("named", ["price", "plan"])
    def test_b21_tiers_that_only_the_price_has(self, named):
        """5 x 100 + 3 x 80, also for the older name of a price."""
        full = tiered("graduated", (5, 100, 0), (None, 80, 0))
        row = item(quantity=8)
        del row["price"]
        bare = {name: value for name, value in full.items() if name != "tiers"}
        bare |= {"interval": "month"} if named == "plan" else {}
        assert cost(subscription() | {"items": {"data": [row | {named: bare}]}}, full) == 740

    def test_b21_a_price_that_is_only_an_id(self):
        stored = price(700)
        assert cost(subscription() | {"items": {"data": [item(stored["id"])]}}, stored) == 700

    def test_b21_what_no_file_has_is_held(self):
        named = subscription(item(price(10000)), discounts=[coupon() | {"coupon": "coupon"}])
        assert [held.field for held in priced(named).held] == ["discounts.coupon"]


def test_completing_leaves_the_payload_as_it_is():
    named = subscription(discounts=[coupon(percent=10)])
    before = repr(named)
    completed(named, discounts={}, stored=lambda *_: {"id": "coupon", "applies_to": {}})
    assert repr(named) == before
