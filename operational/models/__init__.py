from .alert import Alert, AlertChange
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
]
