# ruff: noqa: ARG001
# seam: part of S's module
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from analytics.models import Person


def subscriptions_of(customer_ids: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    return iter(())


def subscription_events(customer_ids: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    return iter(())


def invoices(customer_ids: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    return iter(())


def refunds(customer_ids: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    return iter(())


def credit_notes(customer_ids: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    return iter(())


def persons_of(customer_ids: Collection[str]) -> dict[str, int]:
    return {}


def current_price_ids(person_id: int) -> list[str]:
    return []


def current_period(person_id: int) -> tuple[datetime, datetime] | None:
    return None


def checkout_url(person: Person, price_id: str) -> str:
    return ""
