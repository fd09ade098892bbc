"""Apps that Django loads in a special way: the admin and this one."""

import gc
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks
from django.db.models.signals import post_migrate

from common import health, logs
from common.health import Section
from common.late import late
from config import (
    celery,  # noqa: F401  tasks sent from any process need the app
    mail,
)


class AdminConfig(SimpleAdminConfig):
    """The admin, whose pages are imported by `config.urls` and by the checks only.

    Most commands need neither, and the pages import half of Plumbline.
    """

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_pages, checks.Tags.admin)


def _check_pages(**options: Any) -> list[checks.CheckMessage]:
    autodiscover()
    return check_admin_app(**options)


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Configuration"

    def ready(self) -> None:
        create_missing_entries = late("config.beat_schedule.create_missing_entries")
        # This app has no models, so the signal is never sent for it.
        beat = apps.get_app_config("django_celery_beat")
        post_migrate.connect(create_missing_entries, sender=beat, weak=False)
        health.register(Section.JOBS, "config.beat_schedule.missing_jobs")
        mail.check()
        if not settings.DEBUG:
            logs.log_uncaught()
        gc.freeze()  # collections, even the last one, need not search what is loaded now
        gc.enable()
