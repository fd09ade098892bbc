from django.apps import AppConfig
from django.db.models.signals import post_migrate

from analytics.extension_points import naming_stores
from common import data_quality, health
from common.admin import sidebar
from common.late import late


class AnalyticsConfig(AppConfig):
    name = "analytics"
    verbose_name = "Analytics"

    def ready(self) -> None:
        data_quality.registry.register("analytics.quality_checks.CHECKS")
        health.register(
            health.Section.DATA,
            "analytics.health.capture",
            "analytics.people.exclusion_surges.exclusions",
        )
        health.register(health.Section.MESSAGES, "analytics.people.mail_health.caps")
        sidebar.registry.register("analytics.admin.sidebar.GROUPS")
        naming_stores.register("analytics.privacy.own_stores.NAMING_STORES")
        make_partitions = late("analytics.ingestion.partitions.make_after_migrating")
        post_migrate.connect(make_partitions, sender=self, weak=False)
