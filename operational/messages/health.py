"""Health check of mail: messages that could not be sent, and whether alerts have recipients."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet

from common import health
from common.calculations.health import Component, Health
from common.formatting import number
from operational.messages import deliveries
from operational.models import Delivery, DeliveryKind, DeliveryStatus

UNSENT_WITHIN = timedelta(days=3)


def mail(now: datetime) -> Iterator[Component]:
    has_recipients = bool(deliveries.alert_recipients())
    if not settings.PLUMBLINE_EMAIL_FROM and has_recipients:
        detail = "PLUMBLINE_EMAIL_FROM is not set, so no e-mail is sent."
        yield Component("mail", Health.OFF, detail)
    elif settings.PLUMBLINE_EMAIL_FROM and (times := health.failed_emails(now)):
        detail = f"Messages that could not be sent: {number(len(times))}."
        remedy = "See Deliveries in the admin for the reason, and check the mail server's settings."
        yield Component("mail", Health.WARNING, detail, min(times), remedy)
    elif not has_recipients:
        remedy = "Set PLUMBLINE_EMAIL_FROM and ADMIN_EMAIL, or add an alert channel."
        yield Component("mail", Health.OFF, "No one is notified of alerts.", remedy=remedy)
    else:
        yield Component("mail", Health.OK, "No failed messages.")


def failed_deliveries(now: datetime) -> QuerySet[Delivery, tuple[datetime]]:
    """Return when each message of the last days that could not be sent was created; no tests."""
    recent = Delivery.objects.filter(created_at__gt=now - UNSENT_WITHIN)
    unsent = recent.exclude(kind=DeliveryKind.TEST).filter(
        Q(status=DeliveryStatus.FAILED) | Q(status=DeliveryStatus.WAITING, attempts__gt=0)
    )
    return unsent.values_list("created_at")
