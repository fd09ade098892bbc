"""`make up`, from the outside."""

import http.client
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from devstack.data_dir import DataDir
from tests.devstack.conftest import Stack, new_stack
from tests.processes import wait_until


@pytest.fixture(scope="module")
def _migrated() -> Iterator[Stack]:
    with new_stack() as stack:
        yield stack


@pytest.fixture
def migrated(_migrated: Stack) -> Iterator[Stack]:
    """A data directory that the tests of this module use in turn: the first one migrates."""
    yield _migrated
    _migrated.close()


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def refusal(stack: Stack, **variables: str) -> str:
    process = stack.start("up", **variables)
    errors = process.communicate()[1]
    assert process.returncode == 1
    assert "Traceback" not in errors
    return errors


def start(stack: Stack, port: int) -> subprocess.Popen[str]:
    """Start everything and wait until it is ready."""
    process = stack.start("up", PLUMBLINE_PORT=str(port), PLUMBLINE_DEMO="0")
    read_until(process, "is ready")
    return process


def read_until(process: subprocess.Popen[str], text: str) -> str:
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(process.communicate()[1])


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def process_ids(stack: Stack, part: str) -> list[int]:
    return [pid for pid, line in stack.processes().items() if part in line]


def test_a_taken_port_is_refused_before_anything_starts(stack: Stack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        message = refusal(stack, PLUMBLINE_PORT=str(other.getsockname()[1]))
    assert "PLUMBLINE_PORT" in message
    assert not (stack.data_dir / "servers").exists()


@pytest.mark.parametrize("host", ["nowhere.invalid", "203.0.113.1", "::1", "localhost:80"])
def test_s13_an_address_that_is_not_of_this_machine_is_refused_by_name(
    stack: Stack, host: str
) -> None:
    message = refusal(stack, PLUMBLINE_HOST=host)
    assert f"PLUMBLINE_HOST: '{host}'" in message
    assert "PLUMBLINE_PORT" not in message


def test_an_invalid_port_is_refused(stack: Stack) -> None:
    assert "PLUMBLINE_PORT: 'web'" in refusal(stack, PLUMBLINE_PORT="web")


def test_a_second_start_with_the_same_data_is_refused(stack: Stack) -> None:
    data = DataDir(stack.data_dir)
    data.write("up", {"address": "http://localhost:1234"})
    claim = data.lock("up")
    assert claim.try_exclusive()
    assert "http://localhost:1234" in refusal(stack)
    claim.close()


def test_with_servers_of_your_own_it_starts_none_but_keeps_a_secret_key(
    stack: Stack, port: int
) -> None:
    unreachable = {
        "DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c",
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    process = stack.start("up", PLUMBLINE_PORT=str(port), **unreachable)
    assert "`manage.py migrate` failed" in process.communicate()[1]
    assert not (stack.data_dir / "servers").exists()
    assert (stack.data_dir / "secret_key.json").exists()


def test_it_serves_until_an_interrupt_and_leaves_no_process(migrated: Stack, port: int) -> None:
    process = start(migrated, port)
    assert status_of(port, "/admin/login/") == 200
    process.send_signal(signal.SIGINT)
    assert process.wait() == 0
    assert migrated.processes() == {}


def test_s13_no_secret_is_on_a_command_line(migrated: Stack, port: int) -> None:
    start(migrated, port)
    data = DataDir(migrated.data_dir)
    secrets = [
        data.secret_key(),
        *(str(urlsplit(data.read(name)["url"]).password) for name in ("postgres", "valkey")),
    ]
    lines = "\n".join(migrated.processes().values())
    assert "-m web" in lines
    assert [secret for secret in secrets if secret in lines] == []


def test_a_program_that_is_killed_is_restarted(migrated: Stack, port: int) -> None:
    process = start(migrated, port)
    os.kill(process_ids(migrated, "manage.py ingest")[0], signal.SIGKILL)
    assert read_until(process, "restarts in").startswith("ingest")
    wait_until(lambda: process_ids(migrated, "manage.py ingest"))


def test_a_server_that_is_killed_is_restarted(migrated: Stack, port: int) -> None:
    process = start(migrated, port)
    os.kill(process_ids(migrated, "postgres -D")[0], signal.SIGKILL)
    assert read_until(process, "restarting it").startswith("postgres")
    wait_until(lambda: status_of(port, "/admin/login/") == 200)


def test_a_killed_supervisor_leaves_no_process_and_intact_data(migrated: Stack, port: int) -> None:
    start(migrated, port).kill()
    wait_until(lambda: not migrated.processes())
    start(migrated, port)
    with psycopg.connect(DataDir(migrated.data_dir).read("postgres")["url"]) as connection:
        admins = connection.execute("SELECT username FROM auth_user").fetchall()
    assert admins == [("admin",)]
