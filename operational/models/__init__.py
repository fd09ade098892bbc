from .alert import Alert, AlertChange
from .data_quality import QualityIgnore, QualityResult, QualityRun
from .delivery import AlertChannel, Delivery
from .job_run import Heartbeat, JobRun
from .kpi import KpiGoal, KpiReading

__all__ = [
    "Alert",
    "AlertChange",
    "AlertChannel",
    "Delivery",
    "Heartbeat",
    "JobRun",
    "KpiGoal",
    "KpiReading",
    "QualityIgnore",
    "QualityResult",
    "QualityRun",
]
