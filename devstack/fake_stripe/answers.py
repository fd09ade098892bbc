"""Responses to requests: keys, idempotency, routes, `expand`."""

import sys
import threading
import traceback
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from devstack.fake_stripe import resources
from devstack.fake_stripe.errors import StripeError
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.pages import html
from devstack.fake_stripe.protocol.headers import api_key, check_headers
from devstack.fake_stripe.protocol.parameters import EXPAND, check, parse_form
from devstack.fake_stripe.protocol.routes import PAGES, Route, matching
from devstack.fake_stripe.rendering import check_depth, render
from devstack.fake_stripe.state import StripeState

__all__ = ["Answers", "resources"]  # the latter for its routes


class Answers:
    """Answers one request at a time, so that none sees half of a change."""

    def __init__(self, state: StripeState, lock: threading.RLock, api_key: str) -> None:
        self._state, self._lock, self._api_key = state, lock, api_key

    def json(
        self, method: str, target: str, headers: Message, body: str
    ) -> tuple[int, Object, bool]:
        """Return status, JSON and whether the idempotency key was used before."""
        try:
            check_headers(headers)
            self._check_key(api_key(headers.get("Authorization", "")))
            parts = urlsplit(target)
            key = headers.get("Idempotency-Key", "") if method == "POST" else ""
            with self._lock:
                return self._once(method, parts.path, body or parts.query, key)
        except StripeError as refusal:
            return refusal.status, {"error": refusal.error}, False
        except Exception:  # noqa: BLE001  our bug, which the client sees as a Stripe error
            traceback.print_exc(file=sys.stderr)
            error = {"type": "api_error", "message": "The fake Stripe failed, see what it printed."}
            return 500, {"error": error}, False

    def page(self, method: str, target: str, body: str) -> tuple[int, str] | None:
        """Return a page as status and HTML, or 303 and an address; None if it does not exist."""
        for verb, path, show in PAGES:
            if verb == method and (match := path.fullmatch(urlsplit(target).path)):
                with self._lock:
                    self._state.request = {"id": None, "idempotency_key": None}
                    self._state.unsaved = self._state.unsaved or method != "GET"
                    try:
                        return show(self._state, parse_form(body), *match.groups())
                    except StripeError as refusal:
                        return refusal.status, html.page("Stripe", "", str(refusal))
        return None

    def _check_key(self, key: str) -> None:
        if not key:
            raise StripeError("You did not provide an API key.", status=401)
        if key != self._api_key:
            hidden = f"{key[:8]}{'*' * 12}{key[-4:]}" if len(key) > 16 else "*" * len(key)
            live = "_live_" in key
            why = "A fake Stripe takes no live key" if live else "Invalid API Key provided"
            raise StripeError(f"{why}: {hidden}", status=401)

    def _once(self, method: str, path: str, form: str, key: str) -> tuple[int, Object, bool]:
        """Return the response, a stored one if the idempotency key was used before."""
        request = f"{method} {path}?{form}"
        if kept := self._state.idempotent.get(key):
            first, status, answer = kept
            if first == request:
                return status, answer, True
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                "first used with.",
                type_="idempotency_error",
            )
        self._state.unsaved = self._state.unsaved or method != "GET"
        match = matching(method, path)
        if not match:
            raise StripeError(f"Unrecognized request URL ({method}: {path}).", status=404)
        status, answer = self._handle(*match, form, key)
        if key:
            self._state.idempotent[key] = [request, status, answer]
        return status, answer, False

    def _handle(self, route: Route, ids: tuple[str, ...], form: str, key: str) -> Any:
        params = check({**route.specification, **EXPAND}, parse_form(form))
        paths = params.pop("expand", [])
        check_depth(paths)
        request = {"id": self._state.new_id("req", 14), "idempotency_key": key or None}
        self._state.request = request
        try:
            answer = route.handler(self._state, params, *ids)
        except StripeError as refusal:
            if refusal.status != 402:  # only declined charges are stored, as with Stripe
                raise
            return refusal.status, {"error": refusal.error}
        return 200, render(self._state, answer, paths)
