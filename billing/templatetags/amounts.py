"""Amounts of usage as people read them."""

from django import template

from billing.calculations.usage import UsageState

STATE_NAMES = {
    UsageState.OK: "OK",
    UsageState.WARNING: "80 % and more",
    UsageState.REACHED: "Over the limit, let through",
    UsageState.BLOCKED: "Blocked",
}

register = template.Library()


@register.filter
def state_name(state: UsageState) -> str:
    return STATE_NAMES[state]
