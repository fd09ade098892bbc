"""Events and their delivery as signed webhooks; webhook endpoints."""

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from urllib.parse import urlsplit, urlunsplit

from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import (
    PAGE,
    Params,
    Required,
    boolean,
    choice,
    list_of,
    metadata,
    text,
)
from devstack.fake_stripe.protocol.routes import readable, route
from devstack.fake_stripe.protocol.versions import in_version
from devstack.fake_stripe.state import API_VERSION, OLDER_VERSION, StripeState

_LONGEST_DELAY = 60  # seconds between two attempts
_TIMEOUT = 30  # seconds to wait for a response


def signature(body: bytes, secret: str, at: int | None = None) -> str:
    """Return the Stripe-Signature header: https://docs.stripe.com/webhooks#verify-manually."""
    at = int(time.time()) if at is None else at
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def post(url: str, body: bytes, secret: str) -> int:
    """Send one event; return the status, 0 without a response."""
    parts = urlsplit(url)
    https = parts.scheme == "https"
    kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    headers = {"Content-Type": "application/json", "Stripe-Signature": signature(body, secret)}
    try:
        path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


class Deliveries:
    """Sends the events in `state.undelivered`; failed ones wait for another attempt."""

    def __init__(self, state: StripeState, lock: threading.RLock) -> None:
        self._state, self._lock = state, lock

    def deliver(
        self,
        *,
        copies: int = 1,
        shuffle: int | None = None,
        threads: int = 1,
        due_before: float | None = None,
    ) -> list[int]:
        """Send all waiting events and return the response statuses.

        `copies` sends each event so many times, `shuffle` is the seed of a random order, and
        `threads` sends so many at once. What was not answered with 2xx waits on.
        """
        with self._lock:
            waiting = [
                delivery
                for delivery in self._state.undelivered
                if due_before is None or delivery["due"] <= due_before
            ]
        jobs = waiting * copies
        if shuffle is not None:
            Random(shuffle).shuffle(jobs)  # noqa: S311
        if threads == 1:
            statuses = [self._send(job) for job in jobs]
        else:
            with ThreadPoolExecutor(threads) as pool:
                statuses = list(pool.map(self._send, jobs))
        self._note(jobs, statuses)
        return statuses

    def _send(self, waiting: Object) -> int:
        with self._lock:
            event = self._state.objects["event"].get(waiting["event"])
            endpoint = self._state.objects["webhook_endpoint"].get(waiting["endpoint"])
            if not event or not endpoint:
                return 200  # its endpoint was deleted
            body = json.dumps(in_version(event, endpoint["api_version"]), indent=2).encode()
        return post(endpoint["url"], body, endpoint["_secret"])

    def _note(self, jobs: list[Object], statuses: list[int]) -> None:
        taken = [job for job, status in zip(jobs, statuses, strict=True) if 200 <= status < 300]
        done = {(job["event"], job["endpoint"]) for job in taken}
        with self._lock:
            for job in jobs:
                job["attempts"] += 1
                job["due"] = time.time() + min(2.0 ** job["attempts"], _LONGEST_DELAY)
            self._state.unsaved = self._state.unsaved or bool(jobs)
            for event, _ in done:
                if event in self._state.objects["event"]:
                    self._state.objects["event"][event]["pending_webhooks"] -= 1
            self._state.undelivered = [
                delivery
                for delivery in self._state.undelivered
                if (delivery["event"], delivery["endpoint"]) not in done
            ]

    def run(self, stopped: threading.Event, before: Callable[[], None]) -> None:
        """Deliver due events repeatedly, until stopped."""
        while not stopped.wait(0.2):
            before()
            self.deliver(due_before=time.time())


@route(
    "GET", "/v1/events", {**PAGE, "type": text, "types": list_of(text), "delivery_success": boolean}
)
def list_events(state: StripeState, params: Params) -> Object:
    types = set(params.get("types", [])) | {params[k] for k in ("type",) if params.get(k)}
    done = params.get("delivery_success")
    matching = [
        event
        for event in state.within("event", params, {})
        if not types or _matches(event["type"], types)
        if done is None or (event["pending_webhooks"] == 0) == done
    ]
    return state.list_page("event", matching[::-1], "/v1/events", params)


def _matches(event_type: str, wanted: set[str]) -> bool:
    """Filter by type; `invoice.*` matches all that start with `invoice.`."""
    return any(
        event_type == pattern or (pattern.endswith("*") and event_type.startswith(pattern[:-1]))
        for pattern in wanted
    )


readable("event", "/v1/events")

_ENDPOINT = {
    "description": text,
    "enabled_events": list_of(text),
    "metadata": metadata,
    "url": text,
}


@route(
    "POST",
    "/v1/webhook_endpoints",
    {
        **_ENDPOINT,
        "api_version": choice(API_VERSION, OLDER_VERSION),
        "enabled_events": Required(list_of(text)),
        "url": Required(text),
    },
)
def create_endpoint(state: StripeState, params: Params, secret: str = "") -> Object:
    """Only this response contains the secret."""
    secret = secret or state.new_id("whsec", 32)
    fields = {"api_version": API_VERSION, "application": None, "description": None}
    fields |= {"status": "enabled", "_secret": secret}
    endpoint = state.new("webhook_endpoint", "we", fields | params)
    return endpoint | {"secret": secret}


@route("POST", "/v1/webhook_endpoints/{id}", {**_ENDPOINT, "disabled": boolean})
def update_endpoint(state: StripeState, params: Params, endpoint_id: str) -> Object:
    endpoint: Object = state.find("webhook_endpoint", endpoint_id, in_path=True)
    if "disabled" in params:
        endpoint["status"] = "disabled" if params.pop("disabled") else "enabled"
    endpoint["metadata"] |= params.pop("metadata", {})
    endpoint |= params
    return endpoint


@route("DELETE", "/v1/webhook_endpoints/{id}")
def delete_endpoint(state: StripeState, params: Params, endpoint_id: str) -> Object:
    state.find("webhook_endpoint", endpoint_id, in_path=True)
    del state.objects["webhook_endpoint"][endpoint_id]
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


readable("webhook_endpoint", "/v1/webhook_endpoints")
