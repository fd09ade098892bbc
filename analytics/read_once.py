"""Read once what many parts of one answer ask for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

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
