from .exception import LimitException
from .meter import UsageMeter
from .notice import UsageNotice
from .plan import Plan, PlanLimit, PlanPrice
from .reservation import UsageReservation

__all__ = [
    "LimitException",
    "Plan",
    "PlanLimit",
    "PlanPrice",
    "UsageMeter",
    "UsageNotice",
    "UsageReservation",
]
