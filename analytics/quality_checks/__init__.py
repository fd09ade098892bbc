"""The data-quality checks of events and persons."""

from analytics.data_quality import Check

from .anomalies import Bots, EventMix, UnusualVolume
from .duplicates import DuplicatePersons
from .freshness import Freshness
from .missing_fields import MissingEmail, MissingSignup
from .orphans import Orphans
from .reconciliation import PostHogReconciliation
from .rejections import IngestionLedger, RejectedEvents
from .rollups import RollupsAgainstEvents

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
