"""The output of `make up`: lines under a name, and steps with the time they took."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_COLORS = {"web": 36, "ingest": 33, "worker": 35, "beat": 34, "stripe": 32}  # ANSI
_BOLD = 1  # for all other names

_running: list[str] = []  # the step in progress, which a terminal shows as its last line


@dataclass
class Step:
    """A step in progress; `result` is the line to print when it is done, "" for none."""

    result: str


@contextmanager
def step(running: str, done: str) -> Iterator[Step]:
    """Print a line with the time taken when the step is done; show `running` until then."""
    current, started = Step(done), time.monotonic()
    _running.append(running)
    try:
        _show_running()
        yield current
    finally:
        _hide_running()
        _running.clear()
    if current.result:
        say(f"{current.result} ({time.monotonic() - started:.0f} s)")


def say(text: str, name: str = "plumbline") -> None:
    """Print each line under a name; a closed pipe (`| head`) stops nothing."""
    try:
        _hide_running()
        for line in text.splitlines():
            print(_prefix(name), line.rstrip("\r"), flush=True)
        _show_running()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_running() -> None:
    if _running and sys.stdout.isatty():
        print(_prefix("plumbline"), f"{_running[0]} ...", end="", flush=True)


def _hide_running() -> None:
    if _running and sys.stdout.isatty():
        print("\r\x1b[K", end="", flush=True)


def _prefix(name: str) -> str:
    prefix = f"{name:<9} |"
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return f"\x1b[{_COLORS.get(name, _BOLD)}m{prefix}\x1b[0m"
    return prefix
