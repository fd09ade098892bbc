"""The data directory: the servers' files, and the locks by which processes share them."""

import json
import os
import secrets
import tempfile
from functools import cached_property
from pathlib import Path

from devstack.errors import BRING_YOUR_OWN, DevstackError
from devstack.locks import FileLock
from devstack.processes import SystemUser

ROOT = Path(__file__).resolve().parents[1]
SHARED_BASE = Path("/var/lib/plumbline")


class DataDir:
    """PLUMBLINE_DATA_DIR (default `.local/`); relative to the repository's root."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = (ROOT / (path or os.environ.get("PLUMBLINE_DATA_DIR") or ".local")).resolve()
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                self.path.chmod(0o711)  # root's servers run as another user, who needs access
            self.server_user = SystemUser.for_servers(self.path)
        except (OSError, KeyError) as error:
            raise self._unusable(error) from error

    def file(self, name: str) -> Path:
        """Return a private file, created empty if missing; its owner is the directory's."""
        path = self.path / name
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            if os.getuid() == 0:
                owner = self.path.stat()
                os.chown(path, owner.st_uid, owner.st_gid)
        except OSError as error:
            raise self._unusable(error) from error
        return path

    def lock(self, name: str) -> FileLock:
        return FileLock(self.file(f"{name}.lock"))

    def read(self, name: str) -> dict[str, str]:
        """Return the JSON object stored under this name; empty if there is none yet."""
        return dict(json.loads(self.file(f"{name}.json").read_text() or "{}"))

    def write(self, name: str, content: dict[str, str]) -> None:
        """Replace the JSON object atomically: neither readers nor a crash see half of it."""
        fresh = self.file(f"{name}.json.{os.getpid()}")
        with fresh.open("w") as stream:
            json.dump(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self.path / f"{name}.json")

    def secret_key(self) -> str:
        """Return a random Django SECRET_KEY, created once and stored."""
        with self.lock("secret_key"):
            kept = self.read("secret_key")
            if not kept:
                kept = {"SECRET_KEY": secrets.token_urlsafe(50)}
                self.write("secret_key", kept)
            return kept["SECRET_KEY"]

    @cached_property
    def home(self) -> Path:
        """Return `servers/`: the servers' files, owned by the user that runs them."""
        home = self.path / "servers"
        try:
            if not home.exists():
                home.unlink(missing_ok=True)  # a link without a target
                self._make_home(home)
        except OSError as error:
            raise self._unusable(error) from error
        home = home.resolve()
        if self.server_user and not self.server_user.can_use(home):
            raise self._unusable(
                f"user {self.server_user.uid}, which runs the servers, cannot access"
            )
        return home

    def give_to_servers(self, *paths: Path) -> None:
        if self.server_user:
            for path in paths:
                os.chown(path, self.server_user.uid, self.server_user.gid)

    def _make_home(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.give_to_servers(home)
        if self.server_user and not self.server_user.can_use(home):
            # Root below a private directory such as /root, which must not be opened to others.
            home.rmdir()
            SHARED_BASE.mkdir(mode=0o755, parents=True, exist_ok=True)
            elsewhere = Path(tempfile.mkdtemp(dir=SHARED_BASE))
            self.give_to_servers(elsewhere)
            home.symlink_to(elsewhere)

    def _unusable(self, reason: object) -> DevstackError:
        return DevstackError(
            f"The data directory {self.path} cannot be used: {reason}.\n"
            f"Set PLUMBLINE_DATA_DIR to another directory. {BRING_YOUR_OWN}"
        )
