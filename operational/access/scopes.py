"""The scopes of API tokens: what part of its user's permissions a token may use."""

from collections.abc import Iterable

from common.calculations.nearest import nearest

SCOPES = {
    "analytics:read": "Read persons, events, retention, funnels and ingestion",
    "analytics:write": "Erase and export persons",
    "billing:read": "Read usage, subscriptions, invoices and revenue",
    "billing:write": "Check and reserve usage; sell, change and end subscriptions",
    "growth:read": "Read referral codes, marketing spend and suppressed addresses",
    "growth:write": "Create referral codes, say who invited whom, record spend, suppress addresses",
    "operational:read": "Read KPIs, the alignment score, alerts, reports and health",
    "operational:write": "Send reports",
}


class UnknownScope(ValueError):
    """A scope that does not exist; the message names the nearest one."""


def checked(scopes: Iterable[str]) -> list[str]:
    """Return scopes sorted and without duplicates; raise UnknownScope."""
    requested = sorted({*scopes})
    for scope in requested:
        if scope not in SCOPES:
            raise UnknownScope(f"{scope!r} is not a scope. Did you mean {nearest(scope, SCOPES)}?")
    return requested
