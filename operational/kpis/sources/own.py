"""The sources that come with Plumbline."""

from operational.kpis import sources
from operational.kpis.sources.activation import ActivationSource, QuickActivationSource
from operational.kpis.sources.growth import GrowthSource
from operational.kpis.sources.retention import RetentionSource
from operational.kpis.sources.revenue import ChurnSource, LtvCacSource


def register_own() -> None:
    sources.register("d7_retention", RetentionSource(7, related_days=(1, 14)))
    sources.register("activation_rate", ActivationSource())
    sources.register("d30_retention", RetentionSource(30, related_days=(60, 90)))
    sources.register("ltv_cac", LtvCacSource())
    sources.register("signup_activation", QuickActivationSource())
    sources.register("growth_mom", GrowthSource())
    sources.register("churn_rate", ChurnSource())
