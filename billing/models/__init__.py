from .cash import CashEntry
from .exception import LimitException
from .fx_rate import FxRate
from .idempotent_request import IdempotentRequest
from .meter import UsageMeter
from .movement import MrrDay, MrrMovement
from .notice import UsageNotice
from .plan import Plan, PlanLimit, PlanPrice
from .reservation import UsageReservation
from .revenue_customer import HeldObject, RevenueCustomer, SubscriptionStart
from .revenue_settings import RevenueSettings
from .stripe_customer import StripeCustomer
from .stripe_event import StripeEvent

__all__ = [
    "CashEntry",
    "FxRate",
    "HeldObject",
    "IdempotentRequest",
    "LimitException",
    "MrrDay",
    "MrrMovement",
    "Plan",
    "PlanLimit",
    "PlanPrice",
    "RevenueCustomer",
    "RevenueSettings",
    "StripeCustomer",
    "StripeEvent",
    "SubscriptionStart",
    "UsageMeter",
    "UsageNotice",
    "UsageReservation",
]
