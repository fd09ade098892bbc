"""P39: a limit holds for every order of requests, events and failures."""

from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import example, given
from hypothesis import strategies as st

from billing.limits import reservations
from tests.billing.limited_usage import NOW, limit, ran
from tests.property_tests import examples

pytestmark = pytest.mark.django_db

LIMIT = 3
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(1, 3)),
        st.tuples(st.just("arrive"), st.integers(0, 2)),
        st.tuples(st.just("release"), st.integers(0, 2)),
    ),
    max_size=16,
)


class Product:
    """Does only what was granted, and remembers which events are still to come."""

    def __init__(self):
        self.used = 0
        self.pending: dict[UUID, int] = {}
        self.has_released = False

    @property
    def taken(self):
        return self.used + sum(self.pending.values())

    def reserve(self, amount):
        decision = reservations.reserve("ada", "workflow_runs", amount, now=NOW)
        if not self.has_released:  # afterwards it may hold too much for a while, never too little
            assert decision.allowed is (self.taken + amount <= LIMIT)
        if decision.allowed:
            self.pending[decision.reservation.pk] = amount

    def arrive(self, index):
        if open_ := [key for key, amount in self.pending.items() if amount]:
            self.pending[open_[index % len(open_)]] -= 1
            self.used += 1
            ran()

    def release(self, index):
        if self.pending:
            reservation_id = [*self.pending][index % len(self.pending)]
            del self.pending[reservation_id]
            self.has_released = True
            assert reservations.release(reservation_id, now=NOW)


@examples(60)
@given(steps=STEPS)
@example(  # part of what is released was used
    steps=[("reserve", 2), ("arrive", 0), ("reserve", 1), ("release", 0), ("reserve", 2)]
)
def test_p39_granted_usage_never_exceeds_the_limit(steps):
    with transaction.atomic():
        limit(LIMIT)
        ran(event="seen")
        product = Product()
        for action, number in steps:
            getattr(product, action)(number)
            assert product.taken <= LIMIT
        transaction.set_rollback(True)
