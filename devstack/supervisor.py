"""Keep long-running programs running, and print their output line by line under their names."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass

from devstack.data_dir import ROOT
from devstack.processes import child_options, kill_group
from devstack.server import EmbeddedServer
from devstack.terminal import say

_LONGEST_DELAY = 30  # seconds between two starts; after running this long the delay is reset
_STOP_TIMEOUT = 8  # seconds that a program gets to finish its work


@dataclass(eq=False)
class Program:
    """A command line, started again whenever it ends.

    `death_signal` is sent to it when the supervisor is killed: a signal that its children do not
    survive.
    """

    name: str
    command: list[str]
    death_signal: signal.Signals = signal.SIGKILL
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0  # monotonic seconds, as are the next
    due_at: float = 0.0
    delay: float = 0.5
    partial_line: bytes = b""


class Supervisor:
    """Runs programs, to be stopped stage by stage, and watches the servers that they use.

    One thread does everything: the kernel ties a child's end to the thread that forked it.
    """

    def __init__(self, stages: list[list[Program]], servers: Iterable[EmbeddedServer]) -> None:
        self._stages = stages
        self._programs = [program for stage in stages for program in stage]
        self._servers = list(servers)
        self._selector = selectors.DefaultSelector()

    def step(self, timeout: float = 0.2) -> None:
        """Start due programs, print new output and notice ended ones, within `timeout` seconds."""
        for server in self._servers:
            if server.process and server.process.poll() is not None:
                say(f"ended with {_status(server.process)}; restarting it", server.name)
                server.start()
        for program in self._programs:
            if not program.process and time.monotonic() >= program.due_at:
                self.start(program)
        self._relay(timeout)
        for program in self._programs:
            if program.process and program.process.poll() is not None:
                self._restart_later(program, program.process)

    def stop(self) -> None:
        """Stop stage after stage; an interrupt meanwhile kills the rest."""
        try:
            for stage in self._stages:
                self._stop(stage)
        finally:
            for program in self._programs:
                if program.process:
                    kill_group(program.process)

    def start(self, program: Program) -> None:
        program.started_at = time.monotonic()
        program.process = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            **child_options(program.death_signal),
        )
        output = program.process.stdout
        assert output is not None  # noqa: S101  it was asked for
        os.set_blocking(output.fileno(), False)
        self._selector.register(output, selectors.EVENT_READ, program)

    def _restart_later(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        lived = time.monotonic() - program.started_at
        program.delay = 1 if lived > _LONGEST_DELAY else min(program.delay * 2, _LONGEST_DELAY)
        program.due_at = time.monotonic() + program.delay
        self._clean_up(program, process)
        say(f"ended with {_status(process)}; restarts in {program.delay:.0f} s", program.name)

    def _stop(self, stage: list[Program]) -> None:
        deadline = time.monotonic() + _STOP_TIMEOUT
        for program in stage:
            if program.process:
                program.process.terminate()
        while running := [p for p in stage if p.process and p.process.poll() is None]:
            self._relay(0.1)
            if time.monotonic() > deadline:
                for program in running:
                    say(f"did not stop within {_STOP_TIMEOUT} s; killing it", program.name)
                break
        for program in stage:
            if program.process:
                self._clean_up(program, program.process)

    def _clean_up(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        kill_group(process)  # children of a dead parent would keep its port
        if process.stdout:
            while self._read(program, process.stdout.fileno()):
                pass
            if process.stdout in self._selector.get_map():
                self._selector.unregister(process.stdout)
            process.stdout.close()
        if program.partial_line:
            say(program.partial_line.decode(errors="replace"), program.name)
        program.process, program.partial_line = None, b""

    def _relay(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            if not self._read(key.data, key.fd):
                self._selector.unregister(key.fileobj)

    def _read(self, program: Program, fd: int) -> bool:
        """Print the complete lines of the next chunk; return False if there is none."""
        try:
            chunk = os.read(fd, 65536)
        except BlockingIOError:
            return False
        *lines, program.partial_line = (program.partial_line + chunk).split(b"\n")
        for line in lines:
            say(line.decode(errors="replace"), program.name)
        return bool(chunk)


def _status(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    return signal.Signals(-code).name if code < 0 else f"status {code}"
