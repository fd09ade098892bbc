"""The threads that run the application, each request from beginning to end on one of them."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from web import response
from web.environ import Environ
from web.response import Application, Response

_SIDE_THREADS = 4

Done = Callable[[Response], None]


class Job(NamedTuple):
    """A whole request, and what to call on the loop with its response."""

    environ: Environ
    done: Done
    date: str
    keep_alive: bool

    def run(self, application: Application) -> Response | None:
        """Return the response; none if the application answers later."""
        return response.run(application, self.environ, date=self.date, keep_alive=self.keep_alive)


class Threads:
    """Threads that take the next request of one queue when they are free."""

    def __init__(self, number: int, application: Application, outbox: "Outbox") -> None:
        self._application, self._outbox = application, outbox
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self.submit = self._jobs.put
        for _ in range(number):
            Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            job.environ["web.later"] = partial(self._answer, job)
            self._answer(job, self._application)

    def _answer(self, job: Job, application: Application) -> None:
        """Answer a request with what an application returns.

        An application that returns None answers later: it calls ``environ["web.later"]``, on any
        thread, with an application that returns the response. No thread waits meanwhile.
        """
        if answer := job.run(application):
            job.environ.clear()  # it refers to itself, so that its body would stay in memory
            self._outbox.put(job.done, answer)


class Outbox:
    """Hands responses to the loop, which is woken once for all that are ready."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: deque[tuple[Done, Response]] = deque()
        self._is_called = False

    def put(self, done: Done, answer: Response) -> None:
        self._ready.append((done, answer))
        if not self._is_called:
            self._is_called = True
            with suppress(RuntimeError):  # the loop is closed: the process ends
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._is_called = False  # first: what is added from now on calls again
        while self._ready:
            done, answer = self._ready.popleft()
            done(answer)


class Lanes:
    """The threads of a process: requests in one lane do not wait for those in another.

    The lane "" has as many threads as are wanted, the others a few each.
    """

    def __init__(
        self, number: int, application: Application, outbox: Outbox, lane_of: Callable[[str], str]
    ) -> None:
        """`lane_of` returns the lane of a path."""
        self._application, self._outbox, self._lane_of = application, outbox, lane_of
        self._lanes = {"": Threads(number, application, outbox)}

    def submit(self, job: Job) -> None:
        name = self._lane_of(job.environ["PATH_INFO"])
        if name not in self._lanes:
            self._lanes[name] = Threads(_SIDE_THREADS, self._application, self._outbox)
        self._lanes[name].submit(job)
