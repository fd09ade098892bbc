"""Amounts of usage as people read them."""

from django import template

from billing.calculations.usage import State

STATE_NAMES = {
    State.OK: "OK",
    State.WARNING: "80 % and more",
    State.REACHED: "Over the limit, let through",
    State.BLOCKED: "Blocked",
}

register = template.Library()


@register.filter
def state_name(state: State) -> str:
    return STATE_NAMES[state]
