"""Read once what many parts of one answer ask for."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K", bound=Hashable)

_answers: ContextVar[dict[Any, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def reading_together() -> Iterator[None]:
    """Let functions that are `read_once` keep their answers until the end of the block.

    For gathering a page or an answer that changes nothing meanwhile.
    """
    if _answers.get() is not None:
        yield
        return
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def read_once(read: Callable[P, R]) -> Callable[P, R]:
    """Let a function without side effects, of hashable arguments, answer once in a block."""

    @wraps(read)
    def once(*args: P.args, **kwargs: P.kwargs) -> R:
        answers = _answers.get()
        if answers is None:
            return read(*args, **kwargs)
        key = read, args, tuple(sorted(kwargs.items()))
        if key not in answers:
            answers[key] = read(*args, **kwargs)
        found: R = answers[key]
        return found

    return once


def read_each_once(read: Callable[[Sequence[K]], list[R]]) -> Callable[[Sequence[K]], list[R]]:
    """Let a function that reads many things with one query read each of them once in a block.

    What is asked for early, for all who will need it, costs one query.
    """

    @wraps(read)
    def once(asked: Sequence[K]) -> list[R]:
        answers = _answers.get()
        if answers is None:
            return read(asked)
        known: dict[K, R] = answers.setdefault(read, {})
        if missing := [one for one in dict.fromkeys(asked) if one not in known]:
            known.update(zip(missing, read(missing), strict=True))
        return [known[one] for one in asked]

    return once
