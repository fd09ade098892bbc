from django.apps import AppConfig
from django.db.models.signals import post_migrate

from common import health
from common.admin import sidebar
from common.health import Section


class OperationalConfig(AppConfig):
    name = "operational"
    verbose_name = "Operations"

    def ready(self) -> None:
        from operational.health import jobs  # noqa: PLC0415
        from operational.kpis.goals import create_defaults  # noqa: PLC0415
        from operational.kpis.sources.own import register_own  # noqa: PLC0415

        _register_health_checks()
        jobs.connect()
        register_own()
        sidebar.register("operational.admin.sidebar.GROUPS")
        post_migrate.connect(create_defaults, sender=self)


def _register_health_checks() -> None:
    servers = "operational.health.servers"
    health.register(
        Section.SERVERS, f"{servers}.database", f"{servers}.valkey", needs_database=False
    )
    scheduling = "operational.health.scheduling"
    health.register(Section.JOBS, f"{scheduling}.beat_and_worker", f"{scheduling}.schedule")
    health.register(
        Section.MESSAGES,
        "operational.messages.health.mail",
        "operational.reports.health.reports",
        "operational.monitoring.health.watchdog",
    )
    health.register(Section.MACHINE, f"{servers}.disk", needs_database=False)
