"""Claims on work that takes a while outside of the database, such as sending a message.

A claim is a row's own, until a time: it is renewed while the work takes, so that the work of a
process that died is done by another one soon. Clocks may be wrong, so a lock of the database, which
it releases when a process dies, also keeps two processes from the same work.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread

from django.db import DatabaseError, connection
from django.db.models import Q

from common.locks import try_session_lock

logger = logging.getLogger(__name__)

LASTS = timedelta(seconds=40)
RENEWED_EVERY = timedelta(seconds=10)


def is_over(field: str, now: datetime, *, longest: timedelta = LASTS) -> Q:
    """Return the condition that the time in a field has come.

    A time that is further away than `longest` was set by a clock that was ahead, and has come too.
    """
    return Q(**{f"{field}__lte": now}) | Q(**{f"{field}__gt": now + longest + LASTS})


@contextmanager
def hold(name: str, renew: Callable[[], object]) -> Iterator[bool]:
    """Hold the lock of a name and call `renew` regularly; say whether the lock was free."""
    with try_session_lock(name) as acquired:
        if not acquired:
            yield False
            return
        stop = Event()
        renewing = Thread(target=_renew_until, args=(stop, renew), daemon=True)
        renewing.start()
        try:
            yield True
        finally:
            stop.set()
            renewing.join()


def _renew_until(stop: Event, renew: Callable[[], object]) -> None:
    while not stop.wait(RENEWED_EVERY.total_seconds()):
        try:
            renew()
        except DatabaseError as error:  # briefly unavailable
            logger.warning("A claim could not be renewed: %s", type(error).__name__)
            connection.close()
    connection.close()
