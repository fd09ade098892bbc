"""The sidebar's names for lists and apps of other projects, in breadcrumbs and titles too."""

from django.apps import apps
from django_celery_beat.models import PeriodicTask

_APPS = {
    "auth": "Access",
    "django_celery_beat": "Background work",
}
_LISTS = {PeriodicTask: "schedules"}

for label, name in _APPS.items():
    apps.get_app_config(label).verbose_name = name
for model, name in _LISTS.items():
    model._meta.verbose_name_plural = name
