"""Child processes that do not outlive the process that started them, whatever ends it."""

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
    """The user that a root process lends to its servers: PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    @classmethod
    def for_servers(cls, directory: Path) -> Self | None:
        """None unless we are root; then the directory's owner, or `nobody` where that is root."""
        if os.getuid() != 0:
            return None
        owner = directory.stat().st_uid
        entries = {entry.pw_uid: entry for entry in pwd.getpwall()}  # PostgreSQL requires a name
        entry = entries[owner] if owner and owner in entries else pwd.getpwnam("nobody")
        return cls(entry.pw_uid, entry.pw_gid)

    def can_use(self, path: Path) -> bool:
        """Whether the user may reach and enter (or execute) the path; the kernel decides."""
        options = child_options(signal.SIGKILL, self)
        return subprocess.run(["test", "-x", str(path)], check=False, **options).returncode == 0


def child_options(
    death_signal: signal.Signals, user: SystemUser | None = None, *, own_group: bool = True
) -> dict[str, Any]:
    """Popen arguments of a child that gets `death_signal` when its parent is gone (Linux).

    The kernel watches the *thread* that forked, so start children from the main thread only. A
    group of its own keeps the terminal's Ctrl-C away from the child: its parent decides.
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
            # Our own handler would swallow one that comes before the child's program runs.
            signal.signal(death_signal, signal.SIG_DFL)
        prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it died before the kernel knew of our wish
            os._exit(1)

    return ask_the_kernel


def command_line(pid: int) -> str:
    """What a process was started as; empty where there is no such process."""
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
        pass  # of another user, but alive
    return True


def stop_process(
    process: subprocess.Popen[bytes], stop_signal: signal.Signals, timeout: float = 30
) -> None:
    """Ask a child to stop, wait up to `timeout` seconds, then kill what is left of its group."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            print(f"Process {process.pid} does not stop; killing it.", file=sys.stderr)
    kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a child of its own group at once, and its children, which outlive it otherwise."""
    with suppress(ProcessLookupError, PermissionError):  # the latter: zombies, to macOS
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
