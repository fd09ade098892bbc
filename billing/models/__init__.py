from .cash import CashEntry
from .exception import LimitException
from .fx_rate import FxRate
from .meter import UsageMeter
from .movement import MrrDay, MrrMovement
from .notice import UsageNotice
from .plan import Plan, PlanLimit, PlanPrice
from .reservation import UsageReservation
from .revenue_customer import HeldObject, RevenueCustomer, SubscriptionStart
from .revenue_settings import RevenueSettings

__all__ = [
    "CashEntry",
    "FxRate",
    "HeldObject",
    "LimitException",
    "MrrDay",
    "MrrMovement",
    "Plan",
    "PlanLimit",
    "PlanPrice",
    "RevenueCustomer",
    "RevenueSettings",
    "SubscriptionStart",
    "UsageMeter",
    "UsageNotice",
    "UsageReservation",
]
