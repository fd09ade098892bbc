"""What is stored about a person in billing, for the export."""

from collections.abc import Iterator

from analytics.models import DistinctId
from analytics.privacy.export import Section, columns_of
from billing.models import (
    CashEntry,
    IdempotentRequest,
    LimitException,
    MrrMovement,
    StripeEvent,
    UsageNotice,
    UsageReservation,
)
from billing.stripe import gateway
from billing.stripe.erasure import customer_ids


def sections(person_id: int) -> Iterator[Section]:
    """Yield the kinds of data, each by its name."""
    owned = customer_ids([person_id])
    yield "stripe_objects", gateway.objects_of(owned)
    events = StripeEvent.objects.filter(customer_id__in=owned).order_by("happened_at")
    yield "stripe_events", events.values_list("payload", flat=True).iterator(chunk_size=500)
    for name, model in (("mrr_movements", MrrMovement), ("cash", CashEntry)):
        yield name, columns_of(model.objects.filter(customer_id__in=owned).order_by("pk"))
    for name, rows in (
        ("usage_notices", UsageNotice),
        ("usage_reservations", UsageReservation),
        ("limit_exceptions", LimitException),
    ):
        yield name, columns_of(rows.objects.filter(distinct_id__person_id=person_id).order_by("pk"))
    ids = DistinctId.objects.filter(person=person_id).values("pk")
    kept = IdempotentRequest.objects.filter(distinct_id__in=ids).order_by("pk")
    yield "kept_responses", columns_of(kept)
