"""Random histories of a shop: hypothesis draws steps, which are played where they are possible."""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from tests.billing.simulation.shop import (
    Coupon,
    Customer,
    Discount,
    Item,
    Price,
    Shop,
    Subscription,
    Tax,
)

START = 1_704_110_400  # 2024-01-01 12:00 UTC
DAY = 86_400
CUSTOMERS = ("cus_1", "cus_2")

PRICES = [
    Price("price_month", "prod_x", {"usd": 1000, "eur": 900}),
    Price("price_year", "prod_x", {"usd": 12_000, "eur": 11_000}, "year"),
    Price("price_seats", "prod_y", {"usd": 333, "eur": 310}),
    Price("price_quarter", "prod_y", {"eur": 2500, "usd": 2711}, count=3),
    Price("price_half", "prod_z", {"usd": 4999, "eur": 4500}, count=6),
    Price("price_tiers", "prod_z", {"usd": 0}, tiers=((3, 500, 200), (None, 400, 100))),
    Price("price_usage", "prod_z", {"usd": 7, "eur": 6}, metered=True),
    Price("price_week", "prod_x", {"usd": 250, "eur": 240}, "week"),
    Price("price_weeks", "prod_y", {"usd": 399, "eur": 380}, "week", 2),
    Price("price_day", "prod_x", {"usd": 40, "eur": 35}, "day"),
]
COUPONS = [
    Coupon("half", percent=50),
    Coupon("quarter_of_x", percent=25, products=("prod_x",)),
    Coupon("ten_off", amounts={"usd": 1000, "eur": 900}),
    Coupon("five_off_y", amounts={"eur": 450, "usd": 500}, products=("prod_y",)),
    Coupon("all_off", percent=100),
    Coupon("more_than_all", amounts={"usd": 90_000, "eur": 80_000}),
    Coupon("months", percent=30, duration="repeating"),
    Coupon("off_months", amounts={"usd": 200, "eur": 180}, duration="repeating"),
    Coupon("once", percent=40, duration="once"),
]
TAXES = [(), (Tax(19, True),), (Tax(19, False),), (Tax(7, True), Tax(3, True)), (Tax(20, True),)]
STATUSES = ["active", "past_due", "unpaid", "paused"]
ACTIONS = (
    "subscribe seats seats add add add remove swap discount discount discount item_discount"
    " customer_discount customer_discount taxes item_taxes status cancel delete_customer"
).split()

STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 5, 17, 40]),  # days since the step before; 0: the same second
        st.sampled_from(ACTIONS),
        st.integers(0, 5),
        st.integers(0, 9),
    ),
    min_size=4,
    max_size=14,
)


@dataclass
class Player:
    """Plays steps; `which` and `what` choose among what there is."""

    shop: Shop
    moment: int = START
    made: int = 0

    def play(self, days: int, action: str, which: int, what: int) -> None:
        self.moment += days * DAY
        things = list(self.shop.at(self.moment).values())
        customers = [row for row in things if isinstance(row, Customer) and not row.deleted]
        alive = {row.id for row in customers}
        running = [
            row
            for row in things
            if isinstance(row, Subscription) and not row.ended_at and row.customer in alive
        ]
        if action in {"subscribe", "customer_discount", "delete_customer"}:
            if customers:
                getattr(self, action)(customers[which % len(customers)], what)
        elif running:
            getattr(self, action)(running[which % len(running)], what)

    def subscribe(self, customer: Customer, what: int) -> None:
        currency = ("usd", "eur")[self.made % 2]
        price = PRICES[what]
        if currency in price.amounts:
            item = Item(self._id("si"), price, quantity=1 + what % 3)
            own = Subscription(self._id("sub"), customer.id, currency, self.moment, (item,))
            self.shop.put(self.moment, own)

    def customer_discount(self, customer: Customer, what: int) -> None:
        self._change(customer, discount=next(iter(self._discounts(what)), None))

    def delete_customer(self, customer: Customer, what: int) -> None:
        """Stripe cancels the subscriptions; some histories lack the events of it."""
        if what > 2:  # rarely
            return
        things = self.shop.at(self.moment).values()
        for own in [row for row in things if isinstance(row, Subscription)]:
            if own.customer == customer.id and not own.ended_at and what:
                self.cancel(own, what)
        self._change(customer, deleted=True)

    def seats(self, own: Subscription, what: int) -> None:
        self._change_item(own, quantity=what)

    def swap(self, own: Subscription, what: int) -> None:
        if self._fits(own, PRICES[what], others=own.items[1:]):
            self._change_item(own, price=PRICES[what])

    def add(self, own: Subscription, what: int) -> None:
        if self._fits(own, PRICES[what], others=own.items):
            self._change(own, items=(*own.items, Item(self._id("si"), PRICES[what], 2)))

    def remove(self, own: Subscription, what: int) -> None:
        if len(own.items) > 1:
            self._change(own, items=own.items[1:])

    def discount(self, own: Subscription, what: int) -> None:
        kept = own.discounts[-1:] if what % 2 else ()
        self._change(own, discounts=(*kept, *self._discounts(what)))

    def item_discount(self, own: Subscription, what: int) -> None:
        self._change_item(own, discounts=self._discounts(what))

    def taxes(self, own: Subscription, what: int) -> None:
        self._change(own, taxes=TAXES[what % len(TAXES)])

    def item_taxes(self, own: Subscription, what: int) -> None:
        self._change_item(own, taxes=TAXES[what % len(TAXES)])

    def status(self, own: Subscription, what: int) -> None:
        self._change(own, status=STATUSES[what % len(STATUSES)])

    def cancel(self, own: Subscription, what: int) -> None:
        self._change(own, status="canceled", ended_at=self.moment)

    def _change(self, own: Customer | Subscription, **changes: Any) -> None:
        self.shop.change(self.moment, own, **changes)

    def _change_item(self, own: Subscription, **changes: Any) -> None:
        first, *others = own.items
        self._change(own, items=(replace(first, **changes), *others))

    def _discounts(self, what: int) -> tuple[Discount, ...]:
        """Return a discount by the coupon of a number, or none."""
        if what >= len(COUPONS):
            return ()
        coupon = COUPONS[what]
        end = self.moment + 60 * DAY if coupon.duration == "repeating" else None
        return (Discount(self._id("di"), coupon, self.moment, end),)

    def _fits(self, own: Subscription, price: Price, others: tuple[Item, ...]) -> bool:
        """Whether Stripe bills the price with the others; weeks and months never meet again."""
        kinds = {"week": 1, "day": 2}
        own_kind = kinds.get(price.interval, 0)
        same = all(kinds.get(item.price.interval, 0) == own_kind for item in others)
        new = price.id not in {item.price.id for item in others}
        return same and new and own.currency in price.amounts

    def _id(self, prefix: str) -> str:
        self.made += 1
        return f"{prefix}_{self.made}"


def played(steps: list[tuple[int, str, int, int]], *, coupons_as_ids: bool) -> Shop:
    """Return the shop after the steps; each customer exists from the start."""
    shop = Shop(coupons_as_ids=coupons_as_ids)
    for customer_id in CUSTOMERS:
        shop.put(START, Customer(customer_id))
    player = Player(shop)
    player.subscribe(Customer(CUSTOMERS[0]), steps[0][3])
    for step in steps:
        player.play(*step)
    return shop
