"""The bucket of a person's delay from signup to activation, as PostgreSQL indexes it."""

from datetime import timedelta

from django.db.models import Func, SmallIntegerField

from analytics.calculations.cells import ACTIVATION_CLOCK_SKEW, DELAY_BOUNDS

_MICROSECOND = timedelta(microseconds=1)
_STARTS = [-ACTIVATION_CLOCK_SKEW, *(bound + _MICROSECOND for bound in DELAY_BOUNDS)]
# As `cells.delay_bucket`, but 0 for too early and a further number for too late.
ACTIVATION_DELAY = (
    "width_bucket((EXTRACT(epoch FROM activated_at - signup_at) * 1000000)::bigint,"
    f" ARRAY[{', '.join(str(start // _MICROSECOND) for start in _STARTS)}]::bigint[])"
)


class ActivationDelay(Func):
    """The same in Django's index."""

    template = ACTIVATION_DELAY
    output_field = SmallIntegerField()
