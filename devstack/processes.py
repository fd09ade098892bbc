"""Child processes that end with the process that started them, even if it is killed."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class SystemUser:
    """The user that runs a root process's servers: PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    @classmethod
    def for_servers(cls, directory: Path) -> Self | None:
        """Return None unless we are root; else the directory's owner, unprivileged in any case."""
        if os.getuid() != 0:
            return None
        owner = directory.stat().st_uid
        entries = {entry.pw_uid: entry for entry in pwd.getpwall()}  # PostgreSQL requires a name
        entry = entries[owner] if owner and owner in entries else pwd.getpwnam("nobody")
        return cls(entry.pw_uid, entry.pw_gid)

    def can_use(self, path: Path) -> bool:
        """Return whether the user may reach and enter (or execute) the path; the kernel decides."""
        options = child_options(signal.SIGKILL, self)
        return subprocess.run(["test", "-x", str(path)], check=False, **options).returncode == 0


def child_options(
    death_signal: signal.Signals, user: SystemUser | None = None, *, own_group: bool = True
) -> dict[str, Any]:
    """Return Popen arguments of a child that gets `death_signal` when its parent ends (Linux).

    The kernel watches the *thread* that forked, so start children from the main thread only. In a
    group of its own the child does not get the terminal's Ctrl-C: its parent decides.
    """
    options: dict[str, Any] = {"preexec_fn": _die_with_parent(death_signal)}
    if own_group:
        options["process_group"] = 0
    if user:
        options |= {"user": user.uid, "group": user.gid, "extra_groups": []}
    return options


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if _libc is None:
        return None
    prctl, parent = _libc.prctl, os.getpid()

    def ask_the_kernel() -> None:
        if death_signal != signal.SIGKILL:
            # Our own handler would swallow a signal that comes before the child's program runs.
            signal.signal(death_signal, signal.SIG_DFL)
        prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)

    return ask_the_kernel


def command_line(pid: int) -> str:
    """Return the command line of a process; empty if there is no such process."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            return ""
    listing = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(listing, check=False, capture_output=True, text=True).stdout.strip()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's, but alive
    return True


def stop_process(
    process: subprocess.Popen[bytes], stop_signal: signal.Signals, timeout: float = 30
) -> None:
    """Signal a child to stop, wait up to `timeout` seconds, then kill the rest of its group."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            print(
                f"Process {process.pid} did not stop within {timeout} s; killing it",
                file=sys.stderr,
            )
    kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a child that has its own group, and its children, which would outlive it."""
    with suppress(ProcessLookupError, PermissionError):  # the latter: zombies, to macOS
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
