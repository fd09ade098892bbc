# ruff: noqa: ARG001
# seam: part of S's module
from datetime import datetime

from analytics.models import Person


def current_price_ids(person_id: int) -> list[str]:
    return []


def current_period(person_id: int) -> tuple[datetime, datetime] | None:
    return None


def checkout_url(person: Person, price_id: str) -> str:
    return ""
