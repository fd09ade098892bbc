from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from analytics.admin import person_links  # noqa: PLC0415
        from analytics.people import erasure  # noqa: PLC0415
        from analytics.rollups import definitions  # noqa: PLC0415
        from billing.limits.plans import create_defaults  # noqa: PLC0415
        from billing.limits.usage import OWN_EVENTS  # noqa: PLC0415
        from billing.revenue import ledger  # noqa: PLC0415
        from billing.revenue.quality_checks import CHECKS  # noqa: PLC0415
        from billing.stripe import erasure as stripe_erasure  # noqa: PLC0415
        from billing.stripe.signals import stripe_changed  # noqa: PLC0415
        from common import data_quality, health  # noqa: PLC0415
        from common.admin import sidebar  # noqa: PLC0415

        data_quality.register(*CHECKS)
        health.register(health.Section.DATA, "billing.health.stripe")
        definitions.register_passive(OWN_EVENTS)
        erasure.register(stripe_erasure.forget)
        person_links.register("Usage and limits", "billing:person-usage")
        sidebar.register("billing.admin.sidebar.GROUPS")
        stripe_changed.connect(ledger.stripe_changed)
        post_migrate.connect(create_defaults, sender=self)
