"""A distinct id that your backend, Stripe or staff names is proved, before anything acts on it.

Otherwise a claim, such as an `$identify` with the public key, could give one person the plan, the
limits and the invoices of another.
"""

from analytics.models import DistinctId
from common.postgres import is_storable


def prove(distinct_id: str) -> None:
    """Mark a distinct id as proved. Call it outside of a transaction."""
    if is_storable(distinct_id):
        DistinctId.objects.filter(pk=distinct_id, proved=False).update(proved=True)
