"""The fake Stripe's state: its objects, and the events that wait for delivery."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devstack.fake_stripe.objects import Object, ObjectStore
from devstack.fake_stripe.rendering import differences, render

API_VERSION = "2026-08-26.dahlia"
OLDER_VERSION = "2024-06-20"  # of events, see `protocol.versions`
_KEPT = ("objects", "undelivered", "idempotent")


class StripeState(ObjectStore):
    """The objects, with events about their changes. Callers hold the server's lock."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(seed)
        self.undelivered: list[Object] = []  # {event, endpoint, attempts, due}
        self.idempotent: dict[str, Any] = {}
        self.base_url = ""
        self.request: Object = {"id": None, "idempotency_key": None}
        self.unsaved = False

    def emit(self, event_type: str, about: Object, previous: Object | None = None) -> Object:
        """Store an event with the object as it is now, and queue it for the webhook endpoints."""
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
        """Emit `KIND.updated`, or another event, if the block changes what is sent."""
        before = render(self, about)
        yield about
        previous = differences(before, render(self, about))
        if previous:
            self.emit(event_type or f"{about['object']}.updated", about, previous)

    def save_changes(self, file: Path) -> None:
        """Replace the file as a whole if something changed: a crash leaves the old one."""
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
