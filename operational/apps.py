from celery.signals import task_postrun, task_prerun
from django.apps import AppConfig
from django.db.models.signals import post_migrate

from analytics.extension_points import naming_stores
from common import health
from common.admin import sidebar
from common.health import Section
from common.late import late
from operational.extension_points import kpi_sources


class OperationalConfig(AppConfig):
    name = "operational"
    verbose_name = "Operations"

    def ready(self) -> None:
        _register_health_checks()
        kpi_sources.register("operational.kpis.sources.builtin.SOURCES")
        sidebar.registry.register("operational.admin.sidebar.GROUPS")
        naming_stores.register("operational.personal_data.NAMING_STORES")
        task_prerun.connect(late("operational.health.jobs.record_start"), weak=False)
        task_postrun.connect(late("operational.health.jobs.record_end"), weak=False)
        post_migrate.connect(
            late("operational.kpis.goals.create_defaults"), sender=self, weak=False
        )
        # The last app with models, so that the permissions of all exist.
        post_migrate.connect(
            late("operational.access.groups.create_missing"), sender=self, weak=False
        )


def _register_health_checks() -> None:
    health.register(
        Section.SERVERS,
        "operational.health.servers.database",
        "operational.health.servers.valkey",
        "operational.access.forwarded_proto.proxy",
        needs_database=False,
    )
    health.register(
        Section.JOBS,
        "operational.health.scheduling.beat_and_worker",
        "operational.health.scheduling.schedule",
    )
    health.register(
        Section.MESSAGES,
        "operational.alerting.health.alerts",
        "operational.messages.health.mail",
        "operational.reports.health.reports",
        "operational.monitoring.health.watchdog",
    )
    health.failed_email_queries.register("operational.messages.health.failed_deliveries")
    health.register(Section.MACHINE, "operational.health.servers.disk", needs_database=False)
