from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from billing.plans import create_defaults  # noqa: PLC0415

        post_migrate.connect(create_defaults, sender=self)
