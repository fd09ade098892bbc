"""Web, ingest and PostgreSQL are killed under load: acknowledged events are stored once."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TextIO

import psycopg
import pytest

from devstack.data_dir import ROOT, DataDir
from devstack.postgres import Postgres
from devstack.processes import child_options, kill_group
from devstack.server import free_port
from tests.faults.retrying_client import RetryingClient

CLIENTS = 8
EVENTS = 100_000
KILLS = {"web": 10, "ingest": 12, "postgres": 6, "a backend": 6}
DEADLINE = 600  # seconds, on a busy machine


class Installation:
    """Plumbline with its own durable PostgreSQL, in processes that can be killed."""

    def __init__(self, data_dir: Path, log: TextIO) -> None:
        self.port = free_port()
        self.postgres = Postgres(DataDir(data_dir), durable=True)
        self.postgres.ensure()
        self.environment = os.environ | {
            "DATABASE_URL": self.postgres.url,
            "PLUMBLINE_LOG_LEVEL": "ERROR",
        }
        self._log = log
        self.manage("migrate", "--verbosity", "0")
        self.token = self.manage("project_key").strip()
        web = ["-m", "web", "--port", str(self.port), "--processes", "1", "--threads", "4"]
        self._programs = {"web": web, "ingest": ["manage.py", "ingest"]}
        self._running = {name: self._start(name) for name in self._programs}

    def kill(self, victim: str) -> None:
        """Kill -9 and start again."""
        if victim == "a backend":  # PostgreSQL then ends all other backends
            os.kill(random.choice(self._backends()), signal.SIGKILL)
        elif victim == "postgres":
            os.kill(self.postgres.process.pid, signal.SIGKILL)
            self.postgres.process.wait()
            self.postgres.start()
        else:
            assert self._running[victim].poll() is None, f"{victim} has exited: {self.log()}"
            kill_group(self._running[victim])
            self._running[victim] = self._start(victim)

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.check_output(command, cwd=ROOT, env=self.environment, text=True)

    def rows(self, query: str) -> list[tuple]:
        with psycopg.connect(self.postgres.url) as connection:
            return connection.execute(query).fetchall()

    def stop(self) -> None:
        for process in self._running.values():
            kill_group(process)
        self._running.clear()

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()[-4_000:]

    def _start(self, name: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *self._programs[name]],
            cwd=ROOT,
            env=self.environment,
            stdout=self._log,
            stderr=self._log,
            **child_options(signal.SIGKILL),
        )

    def _backends(self) -> list[int]:
        postmaster = self.postgres.process.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        return [int(pid) for pid in children]


@pytest.fixture
def installation():
    parent = Path(tempfile.mkdtemp(prefix="plumbline-chaos-"))
    parent.chmod(0o755)  # root's PostgreSQL runs as another user
    with (parent / "programs.log").open("w+") as log:
        installation = Installation(parent / "data", log)
        yield installation
        installation.stop()
        installation.postgres.stop()
    shutil.rmtree(parent)


def kill_under_load(installation, clients):
    """Kill random victims, each once the clients have made some more progress."""
    victims = [victim for victim, times in KILLS.items() for _ in range(times)]
    random.shuffle(victims)
    deadline = time.monotonic() + DEADLINE
    for done, victim in enumerate(victims, 1):
        goal = done * EVENTS / (len(victims) + 2)
        while sum(len(client.acknowledged) for client in clients) < goal:
            assert time.monotonic() < deadline, f"stuck after {done - 1} kills"
            assert not any(client.unexpected for client in clients)
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.1))  # the moment of the kill matters
        installation.kill(victim)


@pytest.mark.slow
def test_acknowledged_events_are_stored_once_despite_kills(installation):
    share = EVENTS // CLIENTS
    clients = [
        RetryingClient(installation.port, installation.token, number * share, share)
        for number in range(CLIENTS)
    ]
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    kill_under_load(installation, clients)
    for thread in threads:
        thread.join(DEADLINE)
    assert [client.unexpected for client in clients] == [[]] * CLIENTS
    installation.stop()
    installation.manage("ingest", "--once")
    assert_stored_once(installation, clients)
    assert_the_totals_are_right(installation)


def assert_stored_once(installation, clients):
    acknowledged = set().union(*(client.acknowledged for client in clients))
    abandoned = set().union(*(client.abandoned for client in clients))
    numbers = [
        n for (n,) in installation.rows("SELECT (properties->>'n')::int FROM analytics_event")
    ]
    assert len(numbers) == len(set(numbers))
    assert not acknowledged - set(numbers)
    assert not set(numbers) - acknowledged - abandoned
    assert sum(client.retries for client in clients) > sum(KILLS.values())


def assert_the_totals_are_right(installation):
    """The ledger adds up, the counters equal rebuilt ones, and events belong to their persons."""
    installation.manage("rebuild_rollups", "--check")
    ledger = dict(
        installation.rows("SELECT outcome, sum(events) FROM analytics_capturehour GROUP BY 1")
    )
    ((stored,),) = installation.rows("SELECT count(*) FROM analytics_event")
    assert ledger == {
        "accepted": stored + ledger["duplicate"],
        "stored": stored,
        "duplicate": ledger["duplicate"],
    }
    strays = "SELECT 1 FROM analytics_event JOIN analytics_distinctid AS named USING (distinct_id)"
    assert installation.rows(f"{strays} WHERE named.person_id <> analytics_event.person_id") == []
    assert installation.rows("SELECT 1 FROM analytics_personmerge WHERE result = 'merged' LIMIT 1")
