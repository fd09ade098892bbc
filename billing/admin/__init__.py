from billing.admin import (
    exceptions,
    fx_rates,
    ledger,
    limits,
    meters,
    notices,
    plans,
    revenue,
    stripe,
    stripe_customers,
    usage,
)

__all__ = [
    "exceptions",
    "fx_rates",
    "ledger",
    "limits",
    "meters",
    "notices",
    "plans",
    "revenue",
    "stripe",
    "stripe_customers",
    "usage",
]
