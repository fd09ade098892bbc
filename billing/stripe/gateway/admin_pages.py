"""dj-stripe's own admin pages, which would change the stored copy but not the object at Stripe."""

import djstripe.admin  # noqa: F401  (registers the pages, whichever app's pages load first)
from django.apps import apps
from django.contrib import admin


def unregister() -> None:
    for model in apps.get_app_config("djstripe").get_models():
        if admin.site.is_registered(model):
            admin.site.unregister(model)
