from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OperationalConfig(AppConfig):
    name = "operational"
    verbose_name = "Operational excellence"

    def ready(self) -> None:
        from operational.health import jobs  # noqa: PLC0415
        from operational.kpis.goals import create_defaults  # noqa: PLC0415
        from operational.kpis.sources.own import register_own  # noqa: PLC0415

        jobs.connect()
        register_own()
        post_migrate.connect(create_defaults, sender=self)
