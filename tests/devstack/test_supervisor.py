import sys

import pytest

from devstack.processes import command_line
from devstack.supervisor import Program, Supervisor
from tests.processes import wait_until

# xdist runs threads beside the tests; newer Pythons warn of a fork then.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def shell(script: str) -> Program:
    return Program("talker", ["sh", "-c", script])


def run_once(program: Program) -> None:
    """Step until the program has run and ended once more."""
    program.due_at = 0
    supervisor = Supervisor([[program]], servers=[])
    supervisor.step()
    while program.process:
        supervisor.step()


def test_output_is_printed_under_the_name_of_its_program(capsys: pytest.CaptureFixture) -> None:
    run_once(shell("echo ready; echo trouble >&2"))
    assert capsys.readouterr().out.splitlines()[:2] == ["talker    | ready", "talker    | trouble"]


def test_a_last_line_without_a_newline_is_printed_too(capsys: pytest.CaptureFixture) -> None:
    run_once(shell("printf 'last line'"))
    assert "talker    | last line" in capsys.readouterr().out


def test_the_end_of_a_program_is_reported_with_its_status(capsys: pytest.CaptureFixture) -> None:
    run_once(shell("exit 3"))
    assert "ended with status 3; restarts in 1 s" in capsys.readouterr().out


def test_a_program_that_keeps_ending_waits_longer_each_time() -> None:
    program, delays = shell("exit 1"), []
    for _ in range(7):
        run_once(program)
        delays.append(program.delay)
    assert delays == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize(("seconds", "delay"), [(31, 1), (29, 30)])
def test_o20_the_pause_is_forgotten_after_half_a_minute_of_running(seconds, delay) -> None:
    program = shell("exec sleep 1000")
    program.delay = 16
    supervisor = Supervisor([[program]], servers=[])
    supervisor.step()
    assert program.process
    program.started_at -= seconds
    program.process.kill()
    while program.process:
        supervisor.step()
    assert program.delay == delay


def test_a_programs_children_end_with_it(capsys: pytest.CaptureFixture) -> None:
    run_once(shell("sleep 1000 & echo $!"))
    child = int(capsys.readouterr().out.split()[2])
    wait_until(lambda: command_line(child) == "")


def test_a_program_that_does_not_stop_is_killed(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devstack.supervisor._STOP_TIMEOUT", 0.2)
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=1);"
    program = Program("deaf", [sys.executable, "-c", f"{ignore} signal.pause()"])
    supervisor = Supervisor([[program]], servers=[])
    while "deaf" not in capsys.readouterr().out:
        supervisor.step()
    supervisor.stop()
    assert program.process is None
