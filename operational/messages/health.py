"""Health check of mail: messages that could not be sent, and whether alerts have recipients."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from common import health
from common.calculations.health import Component, Health
from common.formatting import number
from operational.messages import deliveries
from operational.models import Delivery, DeliveryStatus

UNSENT_WITHIN = timedelta(days=3)


def mail(now: datetime) -> Iterator[Component]:
    if not settings.PLUMBLINE_EMAIL_FROM:
        detail = "PLUMBLINE_EMAIL_FROM is not set, so no e-mail is sent."
        yield Component("mail", Health.OFF, detail)
    elif times := health.failed_emails(now):
        detail = f"Messages that could not be sent: {number(len(times))}."
        remedy = "See Deliveries in the admin for the reason, and check the mail server's settings."
        yield Component("mail", Health.WARNING, detail, min(times), remedy)
    elif not settings.ADMIN_EMAIL and not deliveries.alert_recipients():
        detail = "Alerts have no recipients: neither ADMIN_EMAIL nor a channel is set."
        yield Component("mail", Health.OFF, detail)
    else:
        yield Component("mail", Health.OK, "No failed messages.")


def failed_deliveries(now: datetime) -> QuerySet[Delivery, tuple[datetime]]:
    """Return when each message of the last days that could not be sent was created."""
    unsent = Delivery.objects.filter(created_at__gt=now - UNSENT_WITHIN).filter(
        Q(status=DeliveryStatus.FAILED) | Q(status=DeliveryStatus.WAITING, attempts__gt=0)
    )
    return unsent.values_list("created_at")
