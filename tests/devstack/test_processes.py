"""Child processes end with their parents."""

import os
import signal
import subprocess

from devstack.processes import child_options
from tests.processes import PATIENCE


def test_a_parent_that_dies_before_the_childs_program_runs_ends_the_child() -> None:
    options = child_options(signal.SIGINT)  # which Python handles, so do we until then
    ask_the_kernel = options["preexec_fn"]

    def ask_and_get_the_signal_at_once() -> None:
        ask_the_kernel()
        os.kill(os.getpid(), signal.SIGINT)

    child = subprocess.Popen(
        ["sleep", "600"], **options | {"preexec_fn": ask_and_get_the_signal_at_once}
    )
    try:
        assert child.wait(PATIENCE) == -signal.SIGINT
    finally:
        child.kill()
