"""The signal that derived data follows."""

from django.dispatch import Signal

# Sent in the Celery job after commit. `customer_ids`: whose objects changed; `object_ids`: coupons
# and prices that changed, which may be of many customers; `progress`: called with how many more
# customers are done.
stripe_changed = Signal()
