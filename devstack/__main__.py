"""`python -m devstack up | run COMMAND ...`"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from devstack.processes import child_options
from devstack.services import ensure_services
from devstack.up import up


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m devstack")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("up", help="run Plumbline until Ctrl-C")
    runner = actions.add_parser("run", help="run a command with the servers of the data directory")
    runner.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.action == "up":
        up()
        return 0
    if not arguments.command:
        runner.error("a command is required")
    return run(arguments.command)


def run(command: list[str]) -> int:
    """Run a command with the servers' environment; return its status as a shell would."""
    ensure_services()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    try:
        process = subprocess.Popen(
            command,
            env=os.environ | {"PATH": path},
            **child_options(signal.SIGTERM, own_group=False),
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the command too
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
