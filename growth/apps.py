"""What moves people: campaigns, workflows, referrals, marketing spend."""

from django.apps import AppConfig

from analytics.extension_points import (
    before_erasing,
    events_stored,
    exporters,
    milestones_changed,
    naming_stores,
    passive_events,
    person_stores,
    persons_changed,
    undeliverable_addresses,
)
from common import data_quality
from common.admin import sidebar


class GrowthConfig(AppConfig):
    name = "growth"
    verbose_name = "Growth"

    def ready(self) -> None:
        events_stored.register("growth.referrals.checks.note_events")
        persons_changed.register("growth.referrals.checks.note_persons")
        persons_changed.register("growth.referrals.invitations.update")
        milestones_changed.register("growth.referrals.invitations.update")
        person_stores.register("growth.referrals.personal_data.PERSON_STORES")
        naming_stores.register("growth.referrals.personal_data.NAMING_STORES")
        exporters.register("growth.referrals.personal_data.sections")
        person_stores.register("growth.suppression.personal_data.PERSON_STORES")
        exporters.register("growth.suppression.personal_data.sections")
        before_erasing.register("growth.suppression.personal_data.suppress_erased")
        passive_events.register("growth.suppression.mail_records.PASSIVE_EVENTS")
        undeliverable_addresses.register("growth.suppression.suppressions.undeliverable_among")
        sidebar.registry.register("growth.admin.sidebar.GROUPS")
        data_quality.registry.register("growth.spend.quality_checks.CHECKS")
