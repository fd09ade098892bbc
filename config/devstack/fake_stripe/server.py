"""The HTTP side: keys, idempotency, routes, `expand`; a thread answers, another one delivers."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.devstack.fake_stripe import clocks, events, resources
from config.devstack.fake_stripe.errors import StripeError
from config.devstack.fake_stripe.parameters import EXPAND, check, parse_form
from config.devstack.fake_stripe.rendering import render
from config.devstack.fake_stripe.routes import PAGES, matching
from config.devstack.fake_stripe.state import Object, State

TEST_KEY = "sk_test_" + "fake" * 8
_ = resources  # imported for its routes


class FakeStripe:
    """A running fake Stripe. `webhook_url` is where events go; it may change at any time."""

    api_key = TEST_KEY

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        webhook_url: str = "",
        webhook_secret: str = "whsec_fake",
        data: Path | None = None,
        seed: int | None = None,
    ) -> None:
        self.state, self.lock = State(seed), threading.RLock()
        self._data, self._changed = data, False
        if data and data.exists() and data.stat().st_size:
            self.state.load(data)
        self.webhook_secret = webhook_secret
        if webhook_url:
            self.webhook_url = webhook_url
        self._http = _Server((host, port), self)
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

    @property
    def events(self) -> list[Object]:
        """All events, oldest first."""
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
        """Send the events that wait, signed; see `Deliveries.deliver`."""
        return self._deliveries.deliver(**how)

    def advance(self, clock: str, to: int) -> None:
        """Let a test clock run to a moment (Unix seconds), with all that happens on the way."""
        with self.lock:
            clocks.advance(self.state, clock, to)

    def signed(self, event: Object) -> tuple[bytes, str]:
        """An event's body and its Stripe-Signature, for a client that is no server."""
        body = json.dumps(event).encode()
        return body, events.signature(body, self.webhook_secret)

    def answer(self, method: str, target: str, headers: Any, body: str) -> tuple[int, Object, bool]:
        """Status, JSON and whether an idempotency key had the answer already."""
        try:
            self._check_key(headers.get("Authorization", ""))
            parts = urlsplit(target)
            given = body or parts.query
            found = matching(method, parts.path)
            if not found:
                raise StripeError(f"Unrecognized request URL ({method}: {parts.path}).", status=404)
            key = headers.get("Idempotency-Key") if method == "POST" else None
            asked = f"{method} {parts.path}?{given}"
            with self.lock:
                if key and (kept := self.state.idempotent.get(key)):
                    return self._again(kept, asked)
                status, answer = self._handle(*found, given, key)
                if key and (status < 400 or status == 402):
                    self.state.idempotent[key] = [asked, status, answer]
                self._changed = self._changed or method != "GET"
            return status, answer, False
        except StripeError as refusal:
            return refusal.status, {"error": refusal.error}, False

    def page(self, method: str, target: str, body: str) -> tuple[int, str] | None:
        """A page for people: None where there is none, a redirection for status 303."""
        for verb, path, show in PAGES:
            if verb == method and (match := path.fullmatch(urlsplit(target).path)):
                with self.lock:
                    self._changed = True
                    self.state.request = {"id": None, "idempotency_key": None}
                    try:
                        return show(self.state, parse_form(body), *match.groups())
                    except StripeError as refusal:
                        return refusal.status, str(refusal)
        return None

    def _check_key(self, authorization: str) -> None:
        key = authorization.removeprefix("Bearer ").strip()
        if not key:
            raise StripeError("You did not provide an API key.", status=401)
        if key != self.api_key:
            hidden = f"{key[:8]}{'*' * 12}{key[-4:]}" if len(key) > 16 else "*" * len(key)
            live = "_live_" in key
            why = (
                "This is a fake Stripe; it takes no live key"
                if live
                else "Invalid API Key provided"
            )
            raise StripeError(f"{why}: {hidden}", status=401)

    def _again(self, kept: list[Any], asked: str) -> tuple[int, Object, bool]:
        first, status, answer = kept
        if first != asked:
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                "first used with.",
                type_="idempotency_error",
            )
        return status, answer, True

    def _handle(self, route: Any, ids: tuple[str, ...], given: str, key: str | None) -> Any:
        params = check({**route.specification, **EXPAND}, parse_form(given))
        paths = params.pop("expand", [])
        self.state.request = {"id": self.state.new_id("req", 14), "idempotency_key": key}
        try:
            answer = route.handler(self.state, params, *ids)
        except StripeError as refusal:
            return refusal.status, {"error": refusal.error}
        return 200, render(self.state, answer, paths)

    def _tick(self) -> None:
        """What real time brings: renewals of what has no test clock; and the file is kept."""
        with self.lock:
            self._changed = clocks.advance_real_time(self.state) or self._changed
            self._changed = self._changed or bool(self.state.undelivered)
        self._save()

    def _save(self) -> None:
        with self.lock:
            if self._data and self._changed:
                self.state.save(self._data)
                self._changed = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], stripe: FakeStripe) -> None:
        super().__init__(address, _Handler)
        self.stripe = stripe

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        stripe = self.server.stripe
        if page := stripe.page(self.command, self.path, body):
            status, text = page
            moved = {"Location": text} if status == 303 else {}
            self._send(status, "" if moved else text, "text/html; charset=utf-8", moved)
            return
        status, answer, again = stripe.answer(self.command, self.path, self.headers, body)
        headers = {"Idempotent-Replayed": "true"} if again else {}
        self._send(status, json.dumps(answer, indent=2), "application/json", headers)

    do_GET = do_POST = do_DELETE = _respond  # noqa: N815

    def _send(self, status: int, text: str, kind: str, headers: dict[str, str]) -> None:
        body = text.encode()
        self.send_response(status)
        all_headers = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
        for name, value in all_headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing for each request."""
