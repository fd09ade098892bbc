"""Import by path when it is first needed, so that commands start quickly."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def late(path: str) -> Callable[..., Any]:
    """Return a function that imports the one at this path when it is called."""

    def call(*arguments: Any, **options: Any) -> Any:
        return _imported(path)(*arguments, **options)

    return call


class LateRegistry(Generic[T]):
    """What apps add to an app below them, by import path, in the order of registration."""

    def __init__(self) -> None:
        self._paths: dict[str, None] = {}  # an ordered set

    def register(self, path: str) -> None:
        """Add what is at this path; called in `AppConfig.ready`."""
        self._paths[path] = None

    def __iter__(self) -> Iterator[T]:
        return map(_imported, self._paths)


def _imported(path: str) -> Any:
    """Return what is at this path. Django's `import_string` is not for the pure calculations."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)
