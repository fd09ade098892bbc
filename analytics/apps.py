from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils import timezone


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Analytics"

    def ready(self) -> None:
        from analytics.quality_checks import CHECKS  # noqa: PLC0415
        from common import data_quality, health  # noqa: PLC0415
        from common.admin import sidebar  # noqa: PLC0415

        data_quality.register(*CHECKS)
        health.register(health.Section.DATA, "analytics.health.capture")
        sidebar.register("analytics.admin.sidebar.GROUPS")
        post_migrate.connect(_make_partitions, sender=self)


def _make_partitions(**_: Any) -> None:
    from analytics.ingestion.partitions import make_ahead  # noqa: PLC0415

    make_ahead(timezone.now())  # later ones are a scheduled job's
