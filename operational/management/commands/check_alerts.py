"""Check the KPI alerts now, as the schedule does every six hours."""

from typing import Any

from django.utils import timezone

from common.commands import QuickCommand
from common.formatting import utc_moment
from operational.alerting import kpi_alerts
from operational.alerting.alerts import open_alerts
from operational.messages import sending
from operational.models import DeliveryKind


class Command(QuickCommand):
    help = "Check the KPI alerts now, send notifications of changes, and list the active alerts."

    def handle(self, *_: Any, **__: Any) -> None:
        now = timezone.now()
        for notification in kpi_alerts.check(now=now):
            self.stdout.write(f"{notification.headline}: {notification.detail}")
        sending.send_due(kinds=[DeliveryKind.ALERT])
        for alert in open_alerts():
            since = utc_moment(alert.fired_at)
            self.stdout.write(f"{alert.firing:8}  {alert}, since {since}: {alert.latest}")
        if not open_alerts():
            self.stdout.write("No active alerts.")
