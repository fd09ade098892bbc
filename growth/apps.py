"""What moves people: campaigns, workflows, referrals, marketing spend."""

from django.apps import AppConfig

from analytics.extension_points import (
    events_stored,
    exporters,
    naming_stores,
    person_stores,
    persons_changed,
)
from common.admin import sidebar


class GrowthConfig(AppConfig):
    name = "growth"
    verbose_name = "Growth"

    def ready(self) -> None:
        events_stored.register("growth.referrals.checks.note_events")
        persons_changed.register("growth.referrals.checks.note_persons")
        person_stores.register("growth.referrals.personal_data.PERSON_STORES")
        naming_stores.register("growth.referrals.personal_data.NAMING_STORES")
        exporters.register("growth.referrals.personal_data.sections")
        sidebar.registry.register("growth.admin.sidebar.GROUPS")
