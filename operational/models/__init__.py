from operational.models.alert import Alert, AlertChange, AlertKind
from operational.models.api_token import ApiToken
from operational.models.data_quality import QualityIgnore, QualityResult, QualityRun
from operational.models.delivery import AlertChannel, Delivery, DeliveryKind, DeliveryStatus
from operational.models.job_run import Heartbeat, JobRun
from operational.models.kpi import KpiGoal, KpiReading
from operational.models.login_limit import LoginLimit
from operational.models.priority_action import ActionKind, ActionState, PriorityAction
from operational.models.report import Report, ReportKind, ReportSubscriber

__all__ = [
    "ActionKind",
    "ActionState",
    "Alert",
    "AlertChange",
    "AlertChannel",
    "AlertKind",
    "ApiToken",
    "Delivery",
    "DeliveryKind",
    "DeliveryStatus",
    "Heartbeat",
    "JobRun",
    "KpiGoal",
    "KpiReading",
    "LoginLimit",
    "PriorityAction",
    "QualityIgnore",
    "QualityResult",
    "QualityRun",
    "Report",
    "ReportKind",
    "ReportSubscriber",
]
