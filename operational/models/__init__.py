from operational.models.alert import Alert, AlertChange
from operational.models.data_quality import QualityIgnore, QualityResult, QualityRun
from operational.models.delivery import AlertChannel, Delivery
from operational.models.job_run import Heartbeat, JobRun
from operational.models.kpi import KpiGoal, KpiReading
from operational.models.priority_action import PriorityAction
from operational.models.report import Report, ReportSubscriber

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
