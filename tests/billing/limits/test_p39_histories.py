"""P39: whatever the order of requests, events and failures, a limit is not passed."""

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
    """Does only what was granted, and knows what is still to come of it."""

    def __init__(self):
        self.used = 0
        self.pending: dict[UUID, int] = {}
        self.has_released = False

    @property
    def taken(self):
        return self.used + sum(self.pending.values())

    def reserve(self, amount):
        answer = reservations.reserve("ada", "workflow_runs", amount, now=NOW)
        if not self.has_released:  # afterwards it may hold too much for a while, never too little
            assert answer.allowed is (self.taken + amount <= LIMIT)
        if answer.allowed:
            self.pending[answer.reservation.pk] = amount

    def arrive(self, which):
        if open_ := [one for one, amount in self.pending.items() if amount]:
            self.pending[open_[which % len(open_)]] -= 1
            self.used += 1
            ran()

    def release(self, which):
        if self.pending:
            one = [*self.pending][which % len(self.pending)]
            del self.pending[one]
            self.has_released = True
            assert reservations.release(one, now=NOW)


@examples(60)
@given(steps=STEPS)
@example(  # part of what is released was used
    steps=[("reserve", 2), ("arrive", 0), ("reserve", 1), ("release", 0), ("reserve", 2)]
)
def test_p39_what_is_granted_and_used_never_passes_the_limit(steps):
    with transaction.atomic():
        limit(LIMIT)
        ran(event="seen")
        product = Product()
        for what, number in steps:
            getattr(product, what)(number)
            assert product.taken <= LIMIT
        transaction.set_rollback(True)
