"""The whole server: one thread answers, another one delivers events."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devstack.fake_stripe import clocks, events
from devstack.fake_stripe.answers import Answers
from devstack.fake_stripe.http_server import HttpServer
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.state import StripeState

TEST_KEY = "sk_test_" + "fake" * 8


class FakeStripe:
    """A running fake Stripe. `webhook_url` is where events go; it may change at any time."""

    api_key = TEST_KEY

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        webhook_url: str = "",
        webhook_secret: str = "whsec_fake",  # noqa: S107  there is nothing to protect
        data: Path | None = None,
        seed: int | None = None,
    ) -> None:
        self.state, self.lock = StripeState(seed), threading.RLock()
        self._data = data
        if data and data.exists() and data.stat().st_size:
            self.state.load(data)
        self.webhook_secret = webhook_secret
        if webhook_url:
            self.webhook_url = webhook_url
        self.answers = Answers(self.state, self.lock, self.api_key)
        self._http = HttpServer((host, port), self.answers)
        self.url = self.state.base_url = f"http://{host}:{self._http.server_port}"
        self._deliveries = events.Deliveries(self.state, self.lock)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def webhook_url(self) -> str:
        endpoint = next(self.state.all("webhook_endpoint", _ours=True), None)
        return endpoint["url"] if endpoint else ""

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        with self.lock:
            endpoint = next(self.state.all("webhook_endpoint", _ours=True), None)
            if endpoint is None:
                params = {"url": url, "enabled_events": ["*"], "_ours": True}
                endpoint = events.create_endpoint(self.state, params)
            kept = self.state.get("webhook_endpoint", endpoint["id"])
            kept |= {"url": url, "_secret": self.webhook_secret}
            self.state.unsaved = True

    @property
    def events(self) -> list[Object]:
        """Return all events, oldest first."""
        with self.lock:
            return list(self.state.objects["event"].values())

    def start(self, *, delivering: bool = False) -> None:
        """Answer requests; with `delivering` also send webhooks and let real time renew."""
        serve = {"poll_interval": 0.02}
        targets: list[Callable[[], None]] = [lambda: self._http.serve_forever(**serve)]
        if delivering:
            targets.append(lambda: self._deliveries.run(self._stopped, self._tick))
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._threads:
            self._http.shutdown()
        for thread in self._threads:
            thread.join()
        self._http.server_close()
        self._save()

    def deliver(self, **how: Any) -> list[int]:
        """Send the waiting events, signed; see `Deliveries.deliver`."""
        return self._deliveries.deliver(**how)

    def advance(self, clock: str, to: int) -> None:
        """Advance a test clock to a moment (Unix seconds), with everything due until then."""
        with self.lock:
            clocks.advance(self.state, clock, to)

    def signed(self, event: Object) -> tuple[bytes, str]:
        """Return an event's body and Stripe-Signature, to deliver it without the server."""
        body = json.dumps(event).encode()
        return body, events.signature(body, self.webhook_secret)

    def _tick(self) -> None:
        """Renew subscriptions without a test clock, and save the file."""
        with self.lock:
            clocks.advance_real_time(self.state)
        self._save()

    def _save(self) -> None:
        with self.lock:
            if self._data:
                self.state.save_changes(self._data)
