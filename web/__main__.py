"""Serve Plumbline over HTTP: `python -m web`, which `python -m web --help` explains."""

import argparse
import resource
import sys
from dataclasses import replace

from web.limits import Limits
from web.server import listener, serve

_OPEN_FILES = 16_384  # wanted; every connection is one


def main() -> None:
    options = _options()
    limits = replace(
        Limits(),
        head_seconds=options.head_seconds,
        body_seconds=options.body_seconds,
        grace_seconds=options.grace_seconds,
        waiting_per_address=options.waiting_per_address,
        connections=min(Limits().connections, _open_files() // 2),
    )
    try:
        bound = listener(options.host, options.port)
    except OSError as error:
        sys.exit(f"{options.host}, port {options.port}: {error.strerror}")
    serve(
        options.application,
        bound,
        processes=options.processes,
        threads=options.threads,
        limits=limits,
    )


def _options() -> argparse.Namespace:
    default = Limits()
    parser = argparse.ArgumentParser(
        prog="python -m web",
        description="Serve Plumbline over HTTP.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("application", nargs="?", default="config.wsgi:application", help="module:attribute")
    add("--host", default="127.0.0.1", help="address to listen at")
    add("--port", type=int, default=8000, help="port to listen at")
    add("--processes", type=int, default=2, help="one for each core")
    add("--threads", type=int, default=12, help="requests that a process works on at a time")
    add("--head-seconds", type=float, default=default.head_seconds, help="to send a head in")
    add("--body-seconds", type=float, default=default.body_seconds, help="to send a request in")
    add(
        "--grace-seconds",
        type=float,
        default=default.grace_seconds,
        help=f"after which a client must send or read {default.rate:,} bytes a second",
    )
    add(
        "--waiting-per-address",
        type=int,
        default=default.waiting_per_address,
        help="connections of an address that may wait for their client, in each process",
    )
    return parser.parse_args()


def _open_files() -> int:
    """Raise the process's limit as far as it may; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(soft, allowed)


if __name__ == "__main__":
    main()
