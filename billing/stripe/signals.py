"""The signal that derived data follows."""

from django.dispatch import Signal

stripe_changed = Signal()  # sent in the Celery job after commit, kwargs: customer_ids: set[str]
