"""Stripe's objects without personal data; amounts, dates and ids stay."""

from collections.abc import Mapping
from typing import Any

_PERSONAL = frozenset(
    """
    address billing_details client_reference_id client_secret collected_information custom_fields
    customer_address customer_details customer_email customer_name customer_phone customer_shipping
    customer_tax_ids default_source destination_details email evidence hosted_invoice_url
    individual_name business_name instructions_email invoice_pdf invoice_settings ip metadata
    payer_details payment_method_details phone receipt_email receipt_url shipping shipping_details
    source sources
    """.split()
)
# In other objects these fields are not personal.
_OF_A_CUSTOMER = frozenset({"name", "description", "previous_attributes"})
# Lead to the pages of one person.
_OF_A_SESSION = frozenset({"url", "success_url", "cancel_url", "return_url"})
_OF_A_KIND = {"customer": _OF_A_CUSTOMER, "checkout.session": _OF_A_SESSION}
_IMPERSONAL = frozenset({"coupon", "plan", "price", "product"})


def anonymous(stripe_json: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy in which personal values are null."""
    kind = stripe_json.get("object")
    if kind in _IMPERSONAL or kind == "discount":
        return dict(stripe_json)
    personal = _PERSONAL | _OF_A_KIND.get(str(kind), frozenset())
    return {
        name: None if name in personal else _inside(value) for name, value in stripe_json.items()
    }


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return anonymous(value)
    return [_inside(row) for row in value] if isinstance(value, list) else value


def anonymous_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event without personal data."""
    data = {**event["data"], "object": anonymous(event["data"]["object"])}
    if isinstance(before := data.get("previous_attributes"), dict):
        kind = data["object"].get("object")
        data["previous_attributes"] = anonymous({"object": kind, **before})
    return {**event, "data": data}
