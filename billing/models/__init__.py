from billing.models.cash import CashEntry
from billing.models.erased_customer import ErasedCustomer
from billing.models.exception import LimitException
from billing.models.fx_rate import FxRate
from billing.models.idempotent_request import IdempotentRequest
from billing.models.meter import UsageMeter
from billing.models.movement import MrrDay, MrrMovement
from billing.models.notice import UsageNotice
from billing.models.plan import Plan, PlanLimit, PlanPrice
from billing.models.reservation import UsageReservation
from billing.models.revenue_customer import COUNTED, HeldObject, RevenueCustomer, SubscriptionStart
from billing.models.revenue_settings import RevenueSettings
from billing.models.stripe_customer import LinkProof, RefusedLink, StripeCustomer
from billing.models.stripe_event import StripeEvent, StripeEventState

__all__ = [
    "COUNTED",
    "CashEntry",
    "ErasedCustomer",
    "FxRate",
    "HeldObject",
    "IdempotentRequest",
    "LimitException",
    "LinkProof",
    "MrrDay",
    "MrrMovement",
    "Plan",
    "PlanLimit",
    "PlanPrice",
    "RefusedLink",
    "RevenueCustomer",
    "RevenueSettings",
    "StripeCustomer",
    "StripeEvent",
    "StripeEventState",
    "SubscriptionStart",
    "UsageMeter",
    "UsageNotice",
    "UsageReservation",
]
