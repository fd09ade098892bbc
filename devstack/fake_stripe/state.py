"""What the fake Stripe knows: its objects, its time and the events that wait for delivery."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from devstack.fake_stripe.errors import StripeError, no_such
from devstack.fake_stripe.rendering import differences, render

Object = dict[str, Any]

API_VERSION = "2026-08-26.dahlia"
_KEPT = ("objects", "undelivered", "idempotent")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class State:
    """Objects by kind (Stripe's `object`) and id, oldest first. Fields that begin with an
    underscore are ours and never shown. Callers hold the server's lock.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.objects: dict[str, dict[str, Object]] = defaultdict(dict)
        self.undelivered: list[Object] = []  # {event, endpoint, attempts, due}
        self.idempotent: dict[str, Any] = {}
        self.random = Random(seed)  # noqa: S311  ids need to be unique, not secret
        self.base_url = ""
        self.request: Object = {"id": None, "idempotency_key": None}
        self.simulated_time: int | None = None
        self.unsaved = False

    # Objects

    def new_id(self, prefix: str, length: int = 24) -> str:
        return f"{prefix}_{''.join(self.random.choices(_LETTERS, k=length))}"

    def new(self, kind: str, prefix: str, fields: Object) -> Object:
        """Keep a new object; `fields` may bring its own id."""
        made: Object = {"id": self.new_id(prefix), "object": kind, "livemode": False}
        made |= {"created": self.now(fields), "metadata": {}} | fields
        self.objects[kind][made["id"]] = made
        return made

    def find(self, kind: str, object_id: str, param: str = "id", *, in_path: bool = False) -> Any:
        """The object, or Stripe's refusal that names the parameter."""
        try:
            return self.objects[kind][object_id]
        except KeyError:
            raise no_such(kind, object_id, param, in_path=in_path) from None

    def get(self, kind: str, object_id: str) -> Object:
        """The object that another one of ours refers to."""
        return self.objects[kind][object_id]

    def all(self, kind: str, **fields: Any) -> Iterator[Object]:
        for candidate in list(self.objects[kind].values()):
            if all(candidate.get(name) == value for name, value in fields.items()):
                yield candidate

    def page(
        self, kind: str, url: str, params: Object, filters: Iterable[str] | Mapping[str, Any] = ()
    ) -> Object:
        """A page of the objects that have these values, newest first."""
        wanted = {name: params[name] for name in filters if params.get(name) is not None}
        return self.list_page(kind, self.within(kind, params, wanted)[::-1], url, params)

    def within(self, kind: str, params: Object, wanted: Object) -> list[Object]:
        """The objects with these values that were made when `created` says, oldest first."""
        return [
            candidate
            for candidate in self.all(kind, **wanted)
            if _within(candidate, params) and not candidate.get("deleted")
        ]

    def list_page(self, kind: str, found: list[Object], url: str, params: Object) -> Object:
        limit = params.get("limit", 10)
        if not 1 <= limit <= 100:
            raise StripeError("Limit must be between 1 and 100.", param="limit")
        ids = [candidate["id"] for candidate in found]
        start, end = 0, len(found)
        if after := params.get("starting_after"):
            self.find(kind, after, "starting_after")
            start = ids.index(after) + 1 if after in ids else end
        if before := params.get("ending_before"):
            self.find(kind, before, "ending_before")
            end = ids.index(before) if before in ids else 0
            start = max(start, end - limit)
        data = found[start : min(end, start + limit)]
        more = start > 0 if before else start + limit < end
        return {"object": "list", "url": url, "has_more": more, "data": data}

    # Time

    def now(self, about: Object | None = None) -> int:
        """Unix seconds; of the test clock where the object, or its customer, has one."""
        if about and (clock := self.clock_of(about)):
            return int(clock["frozen_time"])
        return self.simulated_time or int(time.time())

    def clock_of(self, about: Object) -> Object | None:
        clock = about.get("test_clock")
        if not clock and (customer := self.objects["customer"].get(about.get("customer") or "")):
            clock = customer.get("test_clock")
        return self.objects["test_helpers.test_clock"].get(clock or "")

    # Events

    def emit(self, event_type: str, about: Object, previous: Object | None = None) -> Object:
        """Keep an event with the object as it is now, and queue it for the webhook endpoints."""
        data: Object = {"object": render(self, about)}
        if previous is not None:
            data["previous_attributes"] = previous
        endpoints = [
            endpoint["id"]
            for endpoint in self.all("webhook_endpoint", status="enabled")
            if {"*", event_type} & set(endpoint["enabled_events"])
        ]
        event: Object = {"id": self.new_id("evt"), "object": "event", "api_version": API_VERSION}
        event |= {"created": self.now(about), "data": data, "livemode": False}
        event |= {"pending_webhooks": len(endpoints), "request": dict(self.request)}
        event["type"], self.unsaved = event_type, True
        self.objects["event"][event["id"]] = event
        self.undelivered += [
            {"event": event["id"], "endpoint": endpoint, "attempts": 0, "due": 0.0}
            for endpoint in endpoints
        ]
        return event

    @contextmanager
    def changing(self, about: Object, event_type: str = "") -> Iterator[Object]:
        """Emit `KIND.updated`, or another event, if the block changes something that is shown."""
        before = render(self, about)
        yield about
        previous = differences(before, render(self, about))
        if previous:
            self.emit(event_type or f"{about['object']}.updated", about, previous)

    # Persistence

    def save_changes(self, file: Path) -> None:
        """Replace the file as a whole where something changed: a crash leaves the old one."""
        if not self.unsaved:
            return
        fresh = file.with_name(f"{file.name}.new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({name: getattr(self, name) for name in _KEPT}))
        fresh.replace(file)
        self.unsaved = False

    def load(self, file: Path) -> None:
        kept = json.loads(file.read_text())
        for name in _KEPT:
            setattr(self, name, kept[name])
        self.objects = defaultdict(dict, self.objects)


def _within(candidate: Object, params: Object) -> bool:
    comparisons: dict[str, Callable[[int, int], bool]] = {
        "gt": int.__gt__,
        "gte": int.__ge__,
        "lt": int.__lt__,
        "lte": int.__le__,
    }
    limits = params.get("created") or {}
    return all(comparisons[name](candidate["created"], limits[name]) for name in limits)
