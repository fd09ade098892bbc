"""One embedded server of a data directory: owned by one process, joined by any number of others."""

import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import BinaryIO, ClassVar
from urllib.parse import urlsplit

from devstack.data_dir import DataDir
from devstack.errors import BRING_YOUR_OWN, DevstackError
from devstack.processes import is_alive, stop_process

HOST = "127.0.0.1"
_START_TIMEOUT = 300  # seconds; recovery after a crash in the middle of a large import takes time
_GRACE = 1  # seconds of waiting for other commands that are not worth a message
_LOG_LIMIT = 10_000_000  # bytes


class EmbeddedServer(ABC):
    """Two locks: `owner` is held by the process whose child the server is, `users` is shared by
    those that joined. An owner takes `users` exclusively before it stops the server.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self, data: DataDir, *, durable: bool) -> None:
        self.data = data
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self._owner = data.lock(f"{self.name}.owner")
        self._users = data.lock(f"{self.name}.users")  # the file lists them, for people to read

    @property
    def url(self) -> str:
        """Return the server's address, also after it stopped; empty before its first start."""
        return self.data.read(self.name).get("url", "")

    def ensure(self) -> str:
        """Join the running server, or start it for the lifetime of this process; return its URL."""
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline:
            if self._own() or self._join():
                return self.url
            time.sleep(0.1)
        raise DevstackError(
            f"{self.name}: the process that owns {self.data.path} does not respond."
        )

    def start(self) -> None:
        """Start the server as our child and wait until it answers."""
        if not self.url:
            self._move_to(free_port(), secrets.token_urlsafe(24))
        self.prepare()
        for _ in range(3):  # a port that was free a moment ago may be taken
            if bind_error(HOST, self.port):
                self._move_to(free_port(), self.password)
            with self._open_log() as log:
                self.process = self.spawn(log.fileno())
            if self._wait_until_it_answers(self.process):
                return
            stop_process(self.process, self.stop_signal)
            time.sleep(0.5)  # a killed server's children may need a moment to notice
        log_end = "\n".join(self._log.read_text(errors="replace").splitlines()[-12:])
        raise DevstackError(
            f"{self.name} does not start; the end of {self._log}:\n{log_end}\n{BRING_YOUR_OWN}"
        )

    def leave(self) -> None:
        """Let the owner, another process, stop the server."""
        if not self.process:
            self._users.release()

    def stop(self) -> None:
        """Stop the server if we own it, when no one else uses it or at an interrupt."""
        if self.process:
            self._wait_for_users()
            stop_process(self.process, self.stop_signal)
            self.process = None
            self._owner.release()
            self._users.release()

    @abstractmethod
    def make_url(self, port: int, password: str) -> str: ...

    @abstractmethod
    def prepare(self) -> None:
        """Create the server's files if they are missing, and end the server of a killed owner."""

    @abstractmethod
    def spawn(self, log: int) -> subprocess.Popen[bytes]: ...

    @abstractmethod
    def answers(self) -> bool:
        """Return whether the server at `url` accepts our password: then it is ours and runs."""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def password(self) -> str:
        return urlsplit(self.url).password or ""

    @property
    def _log(self) -> Path:
        return self.data.file(f"{self.name}.log")

    def _own(self) -> bool:
        if not self._owner.try_exclusive():
            return False
        self._users.path.write_text("")
        self.start()
        return True

    def _join(self) -> bool:
        self._users.shared()  # waits while the owner is stopping
        if self.url and self.answers():
            with self._users.path.open("a") as stream:
                stream.write(f"{os.getpid()} {shlex.join(sys.argv)}\n")
            return True
        self._users.release()
        return False

    def _wait_for_users(self) -> None:
        deadline = time.monotonic() + _GRACE
        try:
            while time.monotonic() < deadline:
                if self._users.try_exclusive():
                    return
                time.sleep(0.05)
            print(f"{self.name} is still used by:", *self._joined(), sep="\n  ", file=sys.stderr)
            print("Waiting for these to end. Press Ctrl-C to stop it now.", file=sys.stderr)
            self._users.exclusive()
        except (KeyboardInterrupt, SystemExit):
            print(f"Stopping {self.name} anyway.", file=sys.stderr)

    def _joined(self) -> list[str]:
        lines = self._users.path.read_text().splitlines()
        return [line for line in lines if is_alive(int(line.split(" ", 1)[0]))]

    def _move_to(self, port: int, password: str) -> None:
        """Store a new address; owners only. The password never changes, the port only if it is in
        use: processes that had joined a killed owner find the server again.
        """
        self.data.write(self.name, {"url": self.make_url(port, password)})

    def _open_log(self) -> BinaryIO:
        too_long = self._log.stat().st_size > _LOG_LIMIT
        return self._log.open("wb" if too_long else "ab")

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + _START_TIMEOUT
        while process.poll() is None and time.monotonic() < deadline:
            if self.answers():
                return True
            time.sleep(0.05)
        return False


def bind_error(host: str, port: int) -> OSError | None:
    """Return why a server cannot listen there now; None if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
