import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import PATIENCE, ROOT, wait_until

OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PLUMBLINE_", "PYTEST_", "DJANGO_", "STRIPE_")


class Stack:
    """A data directory and the processes that use it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start `python -m devstack ARGUMENTS` with pipes for all three streams."""
        process = subprocess.Popen(
            [sys.executable, "-m", "devstack", *arguments],
            cwd=ROOT,
            env=self.environment | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def output(self, *arguments: str, **variables: str) -> str:
        """Return what `python -m devstack ARGUMENTS` prints; it must succeed."""
        process = self.start(*arguments, **variables)
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        return output.strip()

    def hold(self) -> subprocess.Popen[str]:
        """A command that uses the servers until its standard input is closed."""
        process = self.start("run", "sh", "-c", "echo ready; exec cat")
        assert process.stdout.readline() == "ready\n", process.communicate()
        return process

    @property
    def environment(self) -> dict[str, str]:
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(OURS)}
        return inherited | {"PLUMBLINE_DATA_DIR": str(self.data_dir)}

    def processes(self) -> dict[int, str]:
        """Return id and command line of every process that uses the data directory."""
        mark = str(self.data_dir).encode()
        return {
            pid: facts[0].replace(b"\0", b" ").decode()
            for pid, facts in _all_processes()
            if any(mark in fact for fact in facts)
        }

    def close(self) -> None:
        for process in self._started:
            with process:  # closes the pipes
                process.kill()
        self._started.clear()
        wait_until(lambda: not self.processes(), self.processes)


def _all_processes() -> Iterator[tuple[int, list[bytes]]]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
            directory = os.fsencode((process / "cwd").readlink())
        except OSError:  # ended meanwhile, or another user's
            continue
        yield int(process.name), [command, environment, directory]


@contextmanager
def new_stack() -> Iterator[Stack]:
    """Yield an empty data directory that every user can reach, unlike pytest's own."""
    parent = Path(tempfile.mkdtemp(prefix="plumb line-"))
    parent.chmod(0o755)
    stack = Stack(parent / "data")
    try:
        yield stack
    finally:
        stack.close()
        shutil.rmtree(parent)


@pytest.fixture
def stack() -> Iterator[Stack]:
    with new_stack() as stack:
        yield stack


@pytest.fixture(autouse=True)
def _needs_proc() -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc to find processes")
