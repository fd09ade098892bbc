"""Labels of usage states."""

from django import template

from billing.calculations.usage import UsageState

STATE_NAMES = {
    UsageState.OK: "OK",
    UsageState.WARNING: "80 % or more used",
    UsageState.REACHED: "Over the limit, allowed",
    UsageState.BLOCKED: "Blocked",
}

register = template.Library()


@register.filter
def state_name(state: UsageState) -> str:
    return STATE_NAMES[state]
