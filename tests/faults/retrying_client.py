"""A client that sends events as the SDKs do: it retries until they are acknowledged."""

import gzip
import http.client
import json
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 5  # seconds for a response
NAMES = ["used", "used", "used", "signed_up", "workflow_created"]


@dataclass
class RetryingClient:
    """Sends events numbered from `first`, a few per request; `run` it in a thread."""

    port: int
    token: str
    first: int
    events: int
    acknowledged: set[int] = field(default_factory=set)
    abandoned: set[int] = field(default_factory=set)
    unexpected: list[str] = field(default_factory=list)
    retries: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.first)
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def run(self) -> None:
        number, end = self.first, self.first + self.events
        while number < end and not self.unexpected:
            numbers = range(number, min(end, number + self._chance.randrange(1, 16)))
            self._deliver(numbers)
            number = numbers.stop
        self._connection.close()

    def _deliver(self, numbers: range) -> None:
        """Send until acknowledged; occasionally give up after a failure, as a closed tab does."""
        body = self._body(numbers)
        while True:
            status = self._post(body)
            if status == 200:
                self.acknowledged |= set(numbers)
                return
            if status not in {None, 503}:
                self.unexpected.append(f"{status} for {numbers}")
                return
            if self._chance.random() < 0.01:
                self.abandoned |= set(numbers)
                return
            self.retries += 1
            time.sleep(self._chance.uniform(0.02, 0.2))

    def _post(self, body: bytes) -> int | None:
        """Return the status of the response, or None if there was no response."""
        try:
            self._connection.request("POST", "/batch/", body)
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None
        return response.status

    def _body(self, numbers: range) -> bytes:
        batch = [self._event(number) for number in numbers]
        if self._chance.random() < 0.9:  # the server derives the others from their content
            batch = [event | {"uuid": str(uuid.uuid4())} for event in batch]
        body = json.dumps({"api_key": self.token, "batch": batch}).encode()
        return gzip.compress(body, 1) if self._chance.random() < 0.3 else body

    def _event(self, number: int) -> dict[str, Any]:
        person = self._chance.randrange(2_000)
        event: dict[str, Any] = {
            "event": self._chance.choice(NAMES),
            "distinct_id": f"{self._chance.choice('au')}-{person}",
            "timestamp": 1_714_521_600 + self._chance.randrange(90 * 86_400),
            "properties": {"n": number},
        }
        if self._chance.random() < 0.05:
            event |= {"event": "$identify", "distinct_id": f"u-{person}"}
            event["properties"]["$anon_distinct_id"] = f"a-{person}"
        return event
