"""A distinct id that your backend, Stripe or staff names is proved, before anything acts on it."""

from analytics.models import DistinctId


def prove(distinct_id: str) -> None:
    """Mark a distinct id as proved. Call it outside of a transaction."""
    DistinctId.objects.filter(pk=distinct_id, proved=False).update(proved=True)
