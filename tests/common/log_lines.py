"""What a process with settings.LOGGING would write."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from common.logs import RedactingFormatter


@contextmanager
def log_lines() -> Iterator[Callable[[], str]]:
    """Yield a function that returns the lines so far."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter())
    logging.getLogger().addHandler(handler)
    try:
        yield stream.getvalue
    finally:
        logging.getLogger().removeHandler(handler)
