from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from analytics import data_quality, definitions, erasure  # noqa: PLC0415
        from analytics.admin import person_links  # noqa: PLC0415
        from billing import revenue_ledger, stripe_erasure  # noqa: PLC0415
        from billing.plans import create_defaults  # noqa: PLC0415
        from billing.quality_checks import CHECKS  # noqa: PLC0415
        from billing.signals import stripe_changed  # noqa: PLC0415
        from billing.usage import OWN_EVENTS  # noqa: PLC0415

        data_quality.register(*CHECKS)
        definitions.register_passive(OWN_EVENTS)
        erasure.register(stripe_erasure.forget)
        person_links.register("Usage and limits", "billing:person-usage")
        stripe_changed.connect(revenue_ledger.stripe_changed)
        post_migrate.connect(create_defaults, sender=self)
