"""What people see in the terminal: lines under a name, and steps with the time they took."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_COLOURS = {"web": 36, "ingest": 33, "worker": 35, "beat": 34, "stripe": 32}  # ANSI
_BOLD = 1  # for all other names


@dataclass
class Step:
    """A step that runs; `result` is what to say when it is done, "" for nothing."""

    result: str


@contextmanager
def step(running: str, done: str) -> Iterator[Step]:
    """Print one line when the step is done, with its time. A terminal shows that it runs."""
    current, started = Step(done), time.monotonic()
    if sys.stdout.isatty():
        print(_prefix("plumbline"), f"{running} ...", end="", flush=True)
    try:
        yield current
    finally:
        if sys.stdout.isatty():
            print("\r\x1b[K", end="", flush=True)
    if current.result:
        say(f"{current.result} ({time.monotonic() - started:.0f} s)")


def say(text: str, name: str = "plumbline") -> None:
    """Print each line under a name; a reader who left (`| head`) does not stop what runs."""
    try:
        for line in text.splitlines():
            print(_prefix(name), line.rstrip("\r"), flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prefix(name: str) -> str:
    prefix = f"{name:<9} |"
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        return f"\x1b[{_COLOURS.get(name, _BOLD)}m{prefix}\x1b[0m"
    return prefix
