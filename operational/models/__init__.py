from .alert import Alert, AlertChange
from .data_quality import QualityIgnore, QualityResult, QualityRun
from .delivery import AlertChannel, Delivery
from .job_run import Heartbeat, JobRun
from .kpi import KpiGoal, KpiReading
from .priority_action import PriorityAction
from .report import Report, ReportSubscriber

__all__ = [
    "Alert",
    "AlertChange",
    "AlertChannel",
    "Delivery",
    "Heartbeat",
    "JobRun",
    "KpiGoal",
    "KpiReading",
    "PriorityAction",
    "QualityIgnore",
    "QualityResult",
    "QualityRun",
    "Report",
    "ReportSubscriber",
]
