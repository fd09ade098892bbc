"""The servers' programs, from the wheels that contain them; the wheels' Python is not used."""

import filecmp
import importlib.util
import shutil
from pathlib import Path

from devstack.data_dir import DataDir
from devstack.errors import BRING_YOUR_OWN, DevstackError


def executable(package: str, pattern: str, data: DataDir) -> Path:
    """Return the package's file, or a copy beside the data if the servers' user cannot reach it."""
    spec = importlib.util.find_spec(package)
    for location in (spec and spec.submodule_search_locations) or []:
        for path in Path(location).glob(pattern):
            if not data.server_user or data.server_user.can_use(path):
                return path
            copy = data.home / path.relative_to(Path(location).parent)
            if not copy.exists() or not filecmp.cmp(path, copy):  # by size and time of change
                _copy(Path(location), data)
            return copy
    raise DevstackError(
        f"The package {package} is not installed or does not support this machine. {BRING_YOUR_OWN}"
    )


def _copy(package: Path, data: DataDir) -> None:
    # A wheel has shared libraries beside the package, where its programs look for them. The
    # package is renamed last: if it exists, the copy is complete.
    for source in (package.with_name(f"{package.name}.libs"), package):
        if source.exists():
            target, fresh = data.home / source.name, data.home / f"{source.name}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(source, fresh)
            data.give_to_servers(fresh, *fresh.rglob("*"))
            shutil.rmtree(target, ignore_errors=True)
            fresh.rename(target)
