"""The only user of `stripe` and `djstripe`: calls to Stripe, and its stored objects.

Stripe's objects go in and out as Stripe's JSON (dicts), never as the libraries' classes, and its
errors as `StripeProblem`.
"""

from billing.stripe.gateway.calls import StripeProblem, call, every, fetch, is_set_up, path_of
from billing.stripe.gateway.cards import card_fingerprints
from billing.stripe.gateway.customer_objects import (
    anonymize,
    charge_ids,
    charge_of,
    count_objects,
    delete_customers,
    is_erased,
    is_of_erased,
    objects_of,
)
from billing.stripe.gateway.customer_records import customer_records
from billing.stripe.gateway.guests import anonymize_guests, count_guests
from billing.stripe.gateway.links import (
    VALID_HOURS,
    CheckoutLinkExpired,
    checkout_url,
    portal_login_url,
    read_checkout_token,
)
from billing.stripe.gateway.naming import (
    has_entered_address,
    link_named,
    linked_by_entered_address,
    named_by_address,
    named_by_metadata,
)
from billing.stripe.gateway.objects import (
    KINDS,
    delete_prices,
    ids_with_prefix,
    is_placeholder,
    stored,
    stored_ids,
    stored_of,
)
from billing.stripe.gateway.open_sessions import count_sessions_of, open_sessions_of
from billing.stripe.gateway.reading import (
    addresses_of,
    credit_notes,
    customer_ids_of,
    invoices,
    paid_items_of,
    persons_of,
    subscribing_customers,
    subscription_events,
    subscriptions_of,
)
from billing.stripe.gateway.refreshing import (
    keep,
    keep_all,
    moment,
    owner_of,
    owners_of,
    owners_of_charges,
    refresh,
)
from billing.stripe.gateway.returned import returned
from billing.stripe.gateway.signatures import BadSignature, verified
from billing.stripe.gateway.storing import Stored, StoreOutcome, note_deletion, store, store_all
from billing.stripe.gateway.unlinked import (
    client_references,
    count_unlinked,
    unlinked_customers,
    unlinked_of,
)

__all__ = [
    "KINDS",
    "VALID_HOURS",
    "BadSignature",
    "CheckoutLinkExpired",
    "StoreOutcome",
    "Stored",
    "StripeProblem",
    "addresses_of",
    "anonymize",
    "anonymize_guests",
    "call",
    "card_fingerprints",
    "charge_ids",
    "charge_of",
    "checkout_url",
    "client_references",
    "count_guests",
    "count_objects",
    "count_sessions_of",
    "count_unlinked",
    "credit_notes",
    "customer_ids_of",
    "customer_records",
    "delete_customers",
    "delete_prices",
    "every",
    "fetch",
    "has_entered_address",
    "ids_with_prefix",
    "invoices",
    "is_erased",
    "is_of_erased",
    "is_placeholder",
    "is_set_up",
    "keep",
    "keep_all",
    "link_named",
    "linked_by_entered_address",
    "moment",
    "named_by_address",
    "named_by_metadata",
    "note_deletion",
    "objects_of",
    "open_sessions_of",
    "owner_of",
    "owners_of",
    "owners_of_charges",
    "paid_items_of",
    "path_of",
    "persons_of",
    "portal_login_url",
    "read_checkout_token",
    "refresh",
    "returned",
    "store",
    "store_all",
    "stored",
    "stored_ids",
    "stored_of",
    "subscribing_customers",
    "subscription_events",
    "subscriptions_of",
    "unlinked_customers",
    "unlinked_of",
    "verified",
]
