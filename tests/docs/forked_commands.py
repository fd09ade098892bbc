"""Run shell code whose `python manage.py ...` are forks of this process.

Each command works with its own connections, arguments, folder and streams, as in a process of its
own, but the second or more that Python takes to import everything is spent only once.
"""

import json
import os
import select
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from django.core.management import execute_from_command_line

from tests.processes import environment, fork, wait

# Sends its arguments and streams, and ends as the fork did.
CLIENT = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect("commands.sock")
    socket.send_fds(server, [json.dumps(sys.argv).encode()], [0, 1, 2])
    sys.exit(int(server.recv(10)))
"""


@dataclass(frozen=True)
class Completed:
    status: int
    output: str


def run_shell(code: str, folder: Path, **variables: str) -> Completed:
    """Run Bash code, which ends at its first failing command, in a folder of its own."""
    (folder / "manage.py").write_text(CLIENT)
    ended, ends = os.pipe()  # closed by the end of the shell and its children
    with (
        (folder / "output").open("w+") as output,
        socket.socket(socket.AF_UNIX) as commands,
    ):
        commands.bind(str(folder / "commands.sock"))
        commands.listen()
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", code],
            cwd=folder,
            env=environment() | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[ends],
        )
        os.close(ends)
        while ended not in select.select([commands.fileno(), ended], [], [])[0]:
            _serve(commands, folder)
        os.close(ended)
        status = shell.wait()
        output.seek(0)
        return Completed(status, output.read())


def _serve(commands: socket.socket, folder: Path) -> None:
    client = commands.accept()[0]
    with client:
        message, streams, _, _ = socket.recv_fds(client, 10_000, 3)
        status = wait(fork(lambda: _execute(json.loads(message), streams, folder)))
        for stream in streams:
            os.close(stream)
        client.send(str(status).encode())


def _execute(arguments: list[str], streams: list[int], folder: Path) -> None:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.chdir(folder)
    try:
        execute_from_command_line(arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
