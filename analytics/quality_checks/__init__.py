"""The data-quality checks of events and persons."""

from analytics.quality_checks.anomalies import Bots, EventMix, UnusualVolume
from analytics.quality_checks.duplicates import DuplicatePersons
from analytics.quality_checks.freshness import Freshness
from analytics.quality_checks.missing_fields import MissingEmail, MissingSignup
from analytics.quality_checks.orphans import Orphans
from analytics.quality_checks.reconciliation import PostHogReconciliation
from analytics.quality_checks.rejections import IngestionLedger, RejectedEvents
from analytics.quality_checks.rollups import RollupsAgainstEvents
from common.data_quality import Check

CHECKS: tuple[Check, ...] = (
    Orphans(),
    DuplicatePersons(),
    MissingEmail(),
    MissingSignup(),
    Freshness(),
    UnusualVolume(),
    EventMix(),
    Bots(),
    RejectedEvents(),
    IngestionLedger(),
    RollupsAgainstEvents(),
    PostHogReconciliation(),
)
