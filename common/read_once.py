"""Read once what several parts of a page or an answer need."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K", bound=Hashable)

_results: ContextVar[dict[Any, Any] | None] = ContextVar("results", default=None)


@contextmanager
def reading_together() -> Iterator[None]:
    """Let `read_once` functions keep their results until the end of the block.

    For building a page or an answer, while nothing changes.
    """
    if _results.get() is not None:
        yield
        return
    token = _results.set({})
    try:
        yield
    finally:
        _results.reset(token)


def read_once(read: Callable[P, R]) -> Callable[P, R]:
    """Call a function without side effects once per block for the same (hashable) arguments."""

    @wraps(read)
    def once(*args: P.args, **kwargs: P.kwargs) -> R:
        results = _results.get()
        if results is None:
            return read(*args, **kwargs)
        key = read, args, tuple(sorted(kwargs.items()))
        if key not in results:
            results[key] = read(*args, **kwargs)
        result: R = results[key]
        return result

    return once


def read_each_once(read: Callable[[Sequence[K]], list[R]]) -> Callable[[Sequence[K]], list[R]]:
    """Let a function that reads many keys with one query read each key once per block.

    Reading all the keys early, before their first use, costs a single query.
    """

    @wraps(read)
    def once(keys: Sequence[K]) -> list[R]:
        results = _results.get()
        if results is None:
            return read(keys) if keys else []
        by_key: dict[K, R] = results.setdefault(read, {})
        if missing := [key for key in dict.fromkeys(keys) if key not in by_key]:
            by_key.update(zip(missing, read(missing), strict=True))
        return [by_key[key] for key in keys]

    return once
