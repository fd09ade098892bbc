"""The peak memory of an ingest process, for any content of the inbox."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterable

from analytics.calculations.records import MAX_BODY, MAX_EVENTS
from analytics.models import InboxRequest
from benchmarks import dataset, traffic

DATABASE = "bench_memory"
_LARGE = 3  # bodies
_MB = 1024 * 1024

# Run by a small process: its parent's memory counts in the peak of a child.
_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=sys.stderr, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def run(scale: float) -> None:
    token = dataset.empty_database(DATABASE)
    events = traffic.events(int(200_000 * scale), seed=1)
    ordinary = list(traffic.bodies(events, token))
    large = list(traffic.bodies(events, token, size=MAX_EVENTS))[:_LARGE]
    backlogs: dict[str, Iterable[bytes]] = {
        f"{len(events):,} events in requests of 100": ordinary,
        f"{_LARGE} bodies of {len(large[0]) / _MB:.0f} MB": large,
        "the same, compressed": map(gzip.compress, large),
        f"{_LARGE} bodies of 20 MB, events of 1.9 MB": [
            _body(token, _event("a", 19 * _MB // 10)) for _ in range(_LARGE)
        ],
        f"a body of {MAX_EVENTS:,} of the smallest events": [_body(token, _event("a", 0))],
    }
    for name, bodies in backlogs.items():
        traffic.fill_inbox(bodies)
        print(f"  {name}: {peak(DATABASE, 'ingest', '--once'):.0f} MB (at most 600)", flush=True)
        assert not InboxRequest.objects.exists()


def _event(name: str, size: int) -> bytes:
    properties = b',"properties":{"text":"%b"}' % (b"x" * size) if size else b""
    return b'{"event":"%b","distinct_id":"b"%b}' % (name.encode(), properties)


def _body(token: str, event: bytes) -> bytes:
    """Return a body with as many copies of an event as it may contain."""
    number = min((MAX_BODY - 1000) // (len(event) + 1), MAX_EVENTS)
    return b'{"api_key":"%b","batch":[%b]}' % (token.encode(), b",".join([event] * number))


def peak(database: str, *command: str) -> float:
    """Run a command of manage.py in a separate process; return its peak memory in MB."""
    child = subprocess.run(
        [sys.executable, "-c", _MEASURE, sys.executable, "manage.py", *command],
        env={**os.environ, "DATABASE_URL": dataset.url(database)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return int(child.stdout) / 1024
