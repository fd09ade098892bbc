"""Amounts of usage as people read them."""

from decimal import Decimal

from django import template

from billing.calculations.usage import State
from billing.limits import usage_prompts
from common.templatetags.numbers import UNKNOWN

STATE_NAMES = {
    State.OK: "OK",
    State.WARNING: "80 % and more",
    State.REACHED: "Over the limit, let through",
    State.BLOCKED: "Blocked",
}

register = template.Library()


@register.filter
def amount(number: Decimal | int | None) -> str:
    """Show an amount: "1,234" or "0.5"."""
    return UNKNOWN if number is None else usage_prompts.amount(number)


@register.filter
def state_name(state: State) -> str:
    return STATE_NAMES[state]
