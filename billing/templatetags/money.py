"""Amounts of money as people read them."""

from fractions import Fraction

from django import template

from billing.calculations.currency import rounded, shown
from common.templatetags.numbers import UNKNOWN

register = template.Library()


@register.filter
def money(amount: int | Fraction | None, currency: str) -> str:
    """Show minor units of a currency: "1,234.50 USD"."""
    return UNKNOWN if amount is None else shown(rounded(Fraction(amount)), currency)


@register.filter
def ratio(number: Fraction | None) -> str:
    """Show a ratio: "2.11"."""
    return UNKNOWN if number is None else f"{float(number):.2f}"
