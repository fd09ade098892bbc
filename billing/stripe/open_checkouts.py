"""A person's checkout sessions that are not paid yet: at most one, or each could be paid."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from analytics.models import Person
from analytics.people import persons
from billing.calculations.stripe_event import customer_of
from billing.stripe import customers, events, gateway, subscriptions
from billing.stripe.subscriptions import SubscriptionConflict

Json = dict[str, Any]

OFFER = "plumbline_offer"  # in the metadata: what a session sells, and how
_ENOUGH = timedelta(hours=1)  # a session with less time left is replaced
_LONGEST = timedelta(hours=24)  # no session of Stripe's checkout can be paid longer


def offer_of(parameters: Mapping[str, Any]) -> str:
    """Return a text that is equal for sessions with the same parameters."""
    text = json.dumps(parameters, sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:32]


def reusable(person: Person, offer: str) -> Json | None:
    """Return the person's open session of an offer, and expire the other open ones.

    Raise `SubscriptionConflict` if one of them was paid.
    """
    now = gateway.moment()
    latest = (now + _ENOUGH).timestamp()
    same = None
    for stored in gateway.open_sessions_of(person.pk, now=now):
        session = gateway.refresh("checkout.session", stored["id"])
        if session is None:
            continue
        fits = (session.get("metadata") or {}).get(OFFER) == offer
        if same is None and fits and session["status"] == "open" and session["expires_at"] > latest:
            same = session
        else:
            _close(session)
    if current := subscriptions.current(person):
        raise SubscriptionConflict(
            f"The person has just bought {current[0]['id']}: use change-plan."
        )
    return same


def keep_newest(person: Person, session: Json) -> Json:
    """Store a new session; of sessions that were created at the same time the newest stays."""
    gateway.store(session, as_of=gateway.moment(), read_now=True)
    newest, *older = gateway.open_sessions_of(person.pk, now=gateway.moment()) or [session]
    for other in older:
        _close(other)
    if newest["metadata"].get(OFFER) != session["metadata"].get(OFFER):
        raise SubscriptionConflict("Another checkout of the person was created just now: retry.")
    return newest


def expire_all(person: Person) -> None:
    """Expire a person's open sessions, after something was bought."""
    for session in gateway.open_sessions_of(person.pk, now=gateway.moment()):
        _close(session)


def expire_of_undone_merges(*, now: datetime) -> None:
    """Expire what was opened before a merge was undone: its customer may be the other person's."""
    for person, undone_at in persons.split_since(now - _LONGEST):
        for session in gateway.open_sessions_of(person.pk, now=now):
            if session["created"] <= undone_at.timestamp():
                _close(session)


def follow_purchase(stripe_json: Mapping[str, Any]) -> None:
    """Expire the other sessions of who has paid for a session or has a new subscription."""
    is_paid = stripe_json.get("status") == "complete"  # its subscription may not be stored yet
    named = persons.find_person(customers.metadata_id_of(stripe_json))
    linked = gateway.persons_of([customer_of(stripe_json)]).values()
    for person in (named, *map(persons.person_with_id, linked)):
        if person is not None and (is_paid or subscriptions.current(person)):
            expire_all(person)


def _close(session: Json) -> None:
    """Expire a session, or store what was bought with it."""
    if session["status"] == "open":
        path = f"{gateway.path_of('checkout.session', session['id'])}/expire"
        try:
            expired = gateway.call("post", path)
        except gateway.StripeProblem as problem:
            if problem.status != HTTPStatus.BAD_REQUEST:
                raise
            session = gateway.refresh("checkout.session", session["id"]) or session
        else:
            gateway.store(expired, as_of=gateway.moment(), read_now=True)
            return
    if isinstance(subscription_id := session.get("subscription"), str):
        bought = gateway.refresh("subscription", subscription_id) or {}
        customers.link_by(session)
        if customer_id := bought.get("customer"):
            events.enqueue_update(customer_id)
