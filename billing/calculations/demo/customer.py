"""The Stripe events of one customer of the demo.

The customer pays monthly or yearly, upgrades, adds seats, lets a card expire, cancels, and may come
back.
"""

import math
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from billing.calculations.demo.prices import PREFIX, PRODUCTS, lookup_key

Json = dict[str, Any]

_YEARLY, _TRIAL, _COUPON, _BACK = 0.2, 0.25, 0.08, 0.3
_FAILS, _RECOVERS, _CANCELS, _UPGRADES, _DOWNGRADES, _GROWS, _REFUND = (
    0.05,
    0.6,
    0.05,
    0.06,
    0.04,
    0.12,
    0.02,
)
_TRIAL_DAYS = 14
_RETRY, _GIVE_UP = timedelta(days=3), timedelta(days=12)


@dataclass(frozen=True)
class DemoPerson:
    """A person of the demo who has activated."""

    distinct_id: str
    email: str
    activated_at: datetime


class DemoCustomer:
    """A customer, from the first subscription on; times are Unix seconds."""

    def __init__(
        self, random: Random, number: int, person: DemoPerson, prices: dict[str, Json], until: int
    ) -> None:
        self.random, self.number, self.prices, self.until = random, number, prices, until
        self.person = person
        self.customer = f"cus_{PREFIX}_{number}"
        self.events: list[Json] = []
        self.subscription: Json = {}

    def run(self) -> list[Json]:
        delay = timedelta(days=self.random.lognormvariate(math.log(9), 1.0))
        start = int((self.person.activated_at + delay).timestamp())
        customer: Json = {"id": self.customer, "object": "customer", "email": self.person.email}
        customer |= {"metadata": {"distinct_id": self.person.distinct_id}, "created": start - 60}
        self._emit("customer.created", start - 60, customer)
        ended = self._subscribe(1, start)
        if ended and self.random.random() < _BACK:
            self._subscribe(2, ended + self.random.randrange(15, 60) * 86_400)
        return self.events

    def _subscribe(self, number: int, start: int) -> int | None:
        """Emit a subscription's events, and return when it ended."""
        plan = self.random.choices([slug for slug, *_ in PRODUCTS], (70, 25, 5))[0]
        interval = "year" if self.random.random() < _YEARLY else "month"
        trial = number == 1 and self.random.random() < _TRIAL
        self.subscription = self._new(number, start, plan, interval)
        if trial:
            end = start + _TRIAL_DAYS * 86_400
            self.subscription |= {"status": "trialing", "trial_start": start, "trial_end": end}
            self._period(start, end)
        self._emit("customer.subscription.created", start, self.subscription)
        if not trial:
            self._pay(start)
            return self._renewals(start)
        if self.random.random() < 0.3:
            return self._end(start + _TRIAL_DAYS * 86_400)
        return self._renewals(start, renewed=start + _TRIAL_DAYS * 86_400)

    def _new(self, number: int, start: int, plan: str, interval: str) -> Json:
        quantity = self.random.randint(3, 9) if plan == "team" else 1
        price = self.prices[lookup_key(plan, interval)]
        subscription_id = f"sub_{PREFIX}_{self.number}_{number}"
        item: Json = {"id": f"si_{PREFIX}_{self.number}_{number}", "object": "subscription_item"}
        item |= {"price": price, "quantity": quantity}
        self.coupon = 3 if number == 1 and self.random.random() < _COUPON else 0  # months
        self.subscription = {
            "id": subscription_id,
            "object": "subscription",
            "customer": self.customer,
            "status": "active",
            "currency": "usd",
            "created": start,
            "start_date": start,
            "cancel_at_period_end": False,
            "pause_collection": None,
            "items": {"object": "list", "data": [item], "has_more": False},
            "discounts": [self._discount(start)] if self.coupon else [],
            **dict.fromkeys("cancel_at canceled_at ended_at trial_start trial_end".split()),
        }
        self._period(start, self._next(start))
        return self.subscription

    def _discount(self, start: int) -> Json:
        coupon: Json = {"id": f"{PREFIX}_welcome", "object": "coupon", "percent_off": 20}
        coupon |= {"duration": "repeating", "duration_in_months": 3, "amount_off": None}
        discount: Json = {"id": f"di_{PREFIX}_{self.number}", "object": "discount", "start": start}
        return discount | {"end": start + 91 * 86_400, "source": {"coupon": coupon}}

    def _renewals(self, start: int, *, renewed: int | None = None) -> int | None:
        """Emit every period until the subscription ends; None if it continues."""
        begins = renewed or start
        if renewed:
            self._update(begins, status="active")
            self._period(begins, self._next(begins))
            self._pay(begins)
        while (end := self._next(begins)) < self.until + 400 * 86_400 and begins < self.until:
            self._change(begins, end)
            if self.random.random() < _CANCELS * (4 if end - begins > 32 * 86_400 else 1):
                canceled_at = begins + int((end - begins) * self.random.uniform(0.2, 0.9))
                self._update(canceled_at, cancel_at_period_end=True, canceled_at=canceled_at)
                return self._end(end)
            begins = end
            self._period(begins, self._next(begins))
            if self.random.random() >= _FAILS:
                self._pay(begins)
            elif ended := self._fail(begins):
                return ended
        return None

    def _change(self, begins: int, end: int) -> None:
        """Upgrade, downgrade or add a seat within a period; mostly do nothing."""
        moment = begins + int((end - begins) * self.random.uniform(0.1, 0.9))
        item = self.subscription["items"]["data"][0]
        interval = item["price"]["recurring"]["interval"]
        plan = item["price"]["lookup_key"].split("_")[2]
        dice = self.random.random()
        if plan == "pro" and dice < _UPGRADES:
            self._item(moment, price=self.prices[lookup_key("team", interval)], quantity=3)
        elif plan == "team" and dice < _DOWNGRADES:
            self._item(moment, price=self.prices[lookup_key("pro", interval)], quantity=1)
        elif plan == "team" and dice < _DOWNGRADES + _GROWS:
            self._item(moment, quantity=item["quantity"] + 1)

    def _item(self, moment: int, **changes: Any) -> None:
        item = self.subscription["items"]["data"][0] | changes
        self._update(moment, items=self.subscription["items"] | {"data": [item]})

    def _fail(self, moment: int) -> int | None:
        """Emit a declined payment, and return when it ended the subscription."""
        self._invoice("invoice.payment_failed", moment, paid=False)
        self._update(moment, status="past_due")
        if self.random.random() < _RECOVERS:
            again = moment + int(_RETRY.total_seconds())
            self._invoice("invoice.paid", again, paid=True)
            self._update(again, status="active")
            return None
        return self._end(moment + int(_GIVE_UP.total_seconds()))

    def _pay(self, moment: int) -> None:
        invoice = self._invoice("invoice.paid", moment, paid=True)
        if self.random.random() < _REFUND and invoice["amount_paid"]:
            self._refund(invoice, moment + self.random.randrange(2, 9) * 86_400)

    def _invoice(self, kind: str, moment: int, *, paid: bool) -> Json:
        item = self.subscription["items"]["data"][0]
        total = item["price"]["unit_amount"] * item["quantity"]
        if self.coupon and moment < self.subscription["created"] + 91 * 86_400:
            total = total * 80 // 100
        number = f"{self.subscription['id'].removeprefix('sub_')}_{moment}"
        invoice = {
            "id": f"in_{number}",
            "object": "invoice",
            "customer": self.customer,
            "status": "paid" if paid else "open",
            "number": f"DEMO-{self.number:04}-{len(self.events):03}",
            "currency": "usd",
            "total": total,
            "amount_due": total,
            "amount_paid": total if paid else 0,
            "created": moment,
            "charge": f"ch_{number}" if paid else None,
            "status_transitions": {"paid_at": moment if paid else None},
            "parent": {"subscription_details": {"subscription": self.subscription["id"]}},
        }
        self._emit(kind, moment, invoice)
        return invoice

    def _refund(self, invoice: Json, moment: int) -> None:
        charge: Json = {"id": invoice["charge"], "object": "charge", "customer": self.customer}
        charge |= {"amount": invoice["amount_paid"], "amount_refunded": invoice["amount_paid"]}
        charge |= {"currency": "usd", "status": "succeeded", "created": invoice["created"]}
        refund: Json = {"id": f"re_{charge['id'][3:]}", "object": "refund", "charge": charge["id"]}
        refund |= {"amount": charge["amount"], "currency": "usd", "status": "succeeded"}
        self._emit("charge.refunded", moment, charge)
        self._emit("refund.created", moment, refund | {"created": moment})

    def _end(self, moment: int) -> int:
        ended = {"status": "canceled", "ended_at": moment}
        self.subscription |= ended | {"canceled_at": self.subscription["canceled_at"] or moment}
        self._emit("customer.subscription.deleted", moment, self.subscription)
        return moment

    def _update(self, moment: int, **changes: Any) -> None:
        before = {name: self.subscription[name] for name in changes}
        self.subscription |= changes
        self._emit("customer.subscription.updated", moment, self.subscription, before)

    def _period(self, start: int, end: int) -> None:
        for item in self.subscription["items"]["data"]:
            item |= {"current_period_start": start, "current_period_end": end}

    def _next(self, moment: int) -> int:
        interval = self.subscription["items"]["data"][0]["price"]["recurring"]["interval"]
        return moment + (365 if interval == "year" else 30) * 86_400

    def _emit(self, kind: str, moment: int, stripe_json: Json, before: Json | None = None) -> None:
        data = {"object": stripe_json} | ({"previous_attributes": before} if before else {})
        event_id = f"evt_{PREFIX}_{self.number}_{len(self.events)}"
        event = {"id": event_id, "object": "event", "type": kind, "created": moment, "data": data}
        self.events.append(deepcopy(event))
