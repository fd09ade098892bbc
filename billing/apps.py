from django.apps import AppConfig
from django.db.models.signals import post_migrate

from analytics.extension_points import (
    PersonLink,
    before_erasing,
    elsewhere,
    exporters,
    naming_stores,
    passive_events,
    payers,
    person_links,
    person_stores,
    personal_facts,
    proved_addresses,
)
from billing.stripe.signals import stripe_changed
from common import data_quality, health
from common.admin import sidebar
from common.late import late


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        data_quality.registry.register("billing.revenue.quality_checks.CHECKS")
        data_quality.registry.register("billing.stripe.quality_checks.CHECKS")
        health.register(health.Section.DATA, "billing.health.stripe")
        passive_events.register("billing.limits.usage.OWN_EVENTS")
        before_erasing.register("billing.stripe.erasure.remember")
        person_stores.register("billing.stripe.erasure.PERSON_STORES")
        naming_stores.register("billing.stripe.erasure.NAMING_STORES")
        personal_facts.register("billing.stripe.erasure.facts")
        elsewhere.register("billing.stripe.erasure.calls_elsewhere")
        exporters.register("billing.stripe.export.sections")
        payers.register("billing.stripe.customers.paying_persons")
        proved_addresses.register("billing.stripe.gateway.addresses_of")
        person_links.append(PersonLink("Usage and limits", "billing:person-usage"))
        health.failed_email_queries.register("billing.health.failed_usage_notices")
        sidebar.registry.register("billing.admin.sidebar.GROUPS")
        stripe_changed.connect(late("billing.revenue.ledger.stripe_changed"), weak=False)
        post_migrate.connect(late("billing.limits.plans.create_defaults"), sender=self, weak=False)
