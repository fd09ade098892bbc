"""The sources that come with Plumbline."""

from operational.kpis.sources.acquisition import LtvCacSource
from operational.kpis.sources.activation import ActivationSource, QuickActivationSource
from operational.kpis.sources.base import KpiSource
from operational.kpis.sources.growth import GrowthSource
from operational.kpis.sources.referrals import ViralSource
from operational.kpis.sources.retention import RetentionSource
from operational.kpis.sources.revenue import ChurnSource

SOURCES: dict[str, KpiSource] = {
    "d7_retention": RetentionSource(7, related_days=(1, 14)),
    "activation_rate": ActivationSource(),
    "d30_retention": RetentionSource(30, related_days=(60, 90)),
    "ltv_cac": LtvCacSource(),
    "signup_activation": QuickActivationSource(),
    "growth_mom": GrowthSource(),
    "churn_rate": ChurnSource(),
    "viral_coefficient": ViralSource(),
}
