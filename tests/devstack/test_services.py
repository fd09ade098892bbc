"""Real servers in real processes; `run COMMAND` stands for any management command."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from devstack.binaries import executable
from devstack.data_dir import DataDir
from devstack.errors import DevstackError
from tests.devstack.conftest import Stack
from tests.processes import ROOT, wait_until

ELSEWHERE = {"DATABASE_URL": "postgresql://elsewhere/db", "REDIS_URL": "redis://elsewhere"}
URLS = ("run", "printenv", "DATABASE_URL", "REDIS_URL", "SECRET_KEY")


def urls_of(stack: Stack) -> list[str]:
    return stack.output(*URLS).split("\n")


def test_a_first_command_finds_running_servers(stack: Stack) -> None:
    code = (
        "import os, psycopg, redis;"
        "version = psycopg.connect(os.environ['DATABASE_URL']).info.server_version;"
        "print(version >= 150000, redis.Redis.from_url(os.environ['REDIS_URL']).ping())"
    )
    assert stack.output("run", "python", "-c", code) == "True True"


def test_a_command_leaves_no_process_behind(stack: Stack) -> None:
    stack.output("run", "true")
    assert stack.processes() == {}


def test_the_status_of_the_command_is_passed_on(stack: Stack) -> None:
    process = stack.start("run", "sh", "-c", "exit 7", **ELSEWHERE)
    process.communicate()
    assert process.returncode == 7


def test_a_second_command_joins_the_servers_of_the_first(stack: Stack) -> None:
    stack.hold()
    urls_of(stack)
    servers = [line for line in stack.processes().values() if "postgres -D" in line]
    assert len(servers) == 1


def test_simultaneous_first_commands_share_one_server(stack: Stack) -> None:
    commands = [stack.start(*URLS) for _ in range(4)]
    outputs = {process.communicate()[0] for process in commands}
    assert len(outputs) == 1
    assert outputs != {""}


def test_servers_outlive_their_owner_while_a_command_uses_them(stack: Stack) -> None:
    owner, user = stack.hold(), stack.hold()
    database_url = urls_of(stack)[0]
    owner.stdin.close()
    assert "still used by" in owner.stderr.readline()
    psycopg.connect(database_url).close()
    user.stdin.close()
    assert owner.wait() == 0
    assert stack.processes() == {}


def test_a_terminated_owner_waits_for_those_that_joined_too(stack: Stack) -> None:
    owner, user = stack.hold(), stack.hold()
    owner.terminate()
    assert "still used by" in owner.stderr.readline()
    user.stdin.close()
    owner.wait()
    assert stack.processes() == {}


def test_a_killed_owner_leaves_no_process(stack: Stack) -> None:
    stack.hold().kill()
    wait_until(lambda: not stack.processes())


def test_data_survive_a_killed_owner(stack: Stack) -> None:
    owner = stack.hold()
    database_url, redis_url, _ = urls_of(stack)
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    redis.Redis.from_url(redis_url).set("kept", 42)
    owner.kill()
    stack.hold()  # at once, while the servers of the killed owner may still be stopping
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    assert redis.Redis.from_url(redis_url).get("kept") == b"42"


def test_data_survive_killed_servers(stack: Stack) -> None:
    owner = stack.hold()
    database_url = urls_of(stack)[0]
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        [[server]] = connection.execute("SELECT pg_read_file('postmaster.pid')")
    os.kill(int(server.split("\n")[0]), signal.SIGKILL)
    owner.kill()
    stack.hold()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_reused_process_id_does_not_prevent_the_start(stack: Stack) -> None:
    stack.output("run", "true")
    pid_file = stack.data_dir / "servers" / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n1\n\n\n\n")
    stack.output("run", "true")


def test_a_port_in_use_is_replaced_by_a_free_one(stack: Stack) -> None:
    before = urls_of(stack)[0]
    with socket.create_server(("127.0.0.1", urlsplit(before).port)):
        assert urls_of(stack)[0] != before


def test_with_both_addresses_set_nothing_is_started(stack: Stack) -> None:
    url = stack.output("run", "printenv", "DATABASE_URL", **ELSEWHERE)
    assert url == ELSEWHERE["DATABASE_URL"]
    assert not stack.data_dir.exists()


def test_with_both_addresses_set_there_is_no_secret_key(stack: Stack) -> None:
    assert stack.output("run", "sh", "-c", "echo ${SECRET_KEY-unset}", **ELSEWHERE) == "unset"


def test_with_one_address_set_only_the_other_server_is_started(stack: Stack) -> None:
    stack.output("run", "true", REDIS_URL="redis://elsewhere")
    assert (stack.data_dir / "postgres.json").exists()
    assert not (stack.data_dir / "valkey.json").exists()


def test_the_secret_key_is_kept(stack: Stack) -> None:
    first, second = (
        stack.output("run", "printenv", "SECRET_KEY", DATABASE_URL="postgresql://elsewhere/db")
        for _ in range(2)
    )
    assert first == second
    assert len(first) > 50


def test_files_are_private_to_the_owner(stack: Stack) -> None:
    stack.output("run", "true")
    files = [path for path in stack.data_dir.iterdir() if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_passwords_are_on_no_command_line(stack: Stack) -> None:
    stack.hold()
    words = " ".join(stack.processes().values())
    assert not any(url.split(":")[2].split("@")[0] in words for url in urls_of(stack)[:2])


def test_the_error_names_an_unusable_data_directory(stack: Stack) -> None:
    stack.data_dir.write_text("not a directory")
    process = stack.start("run", "true")
    errors = process.communicate()[1]
    assert process.returncode == 1
    assert str(stack.data_dir) in errors
    assert "PLUMBLINE_DATA_DIR" in errors
    assert "Traceback" not in errors


def test_the_error_for_an_unsupported_machine_names_the_variables(tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match="DATABASE_URL") as error:
        executable("embedded_nothing", "bin/*", DataDir(tmp_path))
    assert "REDIS_URL" in str(error.value)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can take the network away")
@pytest.mark.skipif(not shutil.which("unshare"), reason="needs unshare(1)")
def test_no_network_is_needed(stack: Stack) -> None:
    # 0x8914 is SIOCSIFFLAGS, 1 is IFF_UP: a fresh network namespace's loopback is down.
    script = (
        "import fcntl, socket, struct, subprocess, sys;"
        "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh22x', b'lo', 1));"
        "subprocess.run([sys.executable, '-m', 'devstack', 'run', 'true'], check=True)"
    )
    command = ["unshare", "--net", sys.executable, "-c", script]
    subprocess.run(command, cwd=ROOT, env=stack.environment, check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="an ordinary user's servers run as that user")
def test_root_can_work_below_a_private_directory(stack: Stack) -> None:
    stack.data_dir.parent.chmod(0o700)
    stack.output("run", "true")
    servers = (stack.data_dir / "servers").resolve()
    shutil.rmtree(servers)
    assert servers.parent == Path("/var/lib/plumbline")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act for another user")
def test_in_another_users_directory_root_acts_as_that_user(stack: Stack) -> None:
    stack.data_dir.mkdir()
    shutil.chown(stack.data_dir, "daemon")
    stack.output("run", "true")
    assert {path.owner() for path in stack.data_dir.rglob("*")} == {"daemon"}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_an_unknown_owner_works(stack: Stack) -> None:
    stack.data_dir.mkdir()
    os.chown(stack.data_dir, 123456, 123456)  # as in a container with a mounted checkout
    stack.output("run", "true")
    assert (stack.data_dir / "servers").owner() == "nobody"


def test_an_empty_pid_file_does_not_prevent_the_start(stack: Stack) -> None:
    stack.output("run", "true")
    (stack.data_dir / "servers" / "postgres" / "postmaster.pid").touch()
    assert stack.output("run", "echo", "started") == "started"
