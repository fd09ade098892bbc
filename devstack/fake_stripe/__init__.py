"""A small, strict, stateful Stripe over HTTP, for the tests and a first run without an account.

Real code talks to it through the real `stripe` library: `stripe.api_base` is all that differs. It
knows the part of Stripe's API that billing needs, in its current shapes, refuses every parameter
that it does not know, and takes no live key. Money is integer minor units, times are Unix seconds.
What differs from Stripe is listed in docs/fake-stripe.md.
"""

from devstack.fake_stripe.server import TEST_KEY, FakeStripe

__all__ = ["TEST_KEY", "FakeStripe"]
