from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Configuration"

    def ready(self) -> None:
        from config import celery  # noqa: F401, PLC0415  tasks sent from any process need the app
        from config.beat_schedule import create_missing_entries  # noqa: PLC0415

        # This app has no models, so the signal is never sent for it.
        beat = apps.get_app_config("django_celery_beat")
        post_migrate.connect(create_missing_entries, sender=beat)
