"""A client's connection: requests are read whole, answered in turn, and written as they are read.

Nothing here waits: the loop calls these methods when bytes came, when the client has read some,
when a thread has a response, and every second to close what takes too long.
"""

import asyncio
import socket
import struct
from collections import deque
from typing import cast

import httptools

from web import environ, response
from web.environ import Environ
from web.exchange import FieldsTooLarge, Incoming, TooManyRequests, Writing
from web.limits import Pace
from web.response import Response
from web.service import Service

_NO_LINGERING = struct.pack("ii", 1, 0)
_OVERHEAD = 64  # bytes that a piece of a body costs beyond its own


class Connection(asyncio.Protocol):
    """Called by the loop and, for the parts of a request, by the parser."""

    def __init__(self, service: Service) -> None:
        self.service, self.limits = service, service.limits
        self.parser = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport
        self.address = ""
        self._constant: Environ = {}
        self.held = 0  # bytes
        self.incoming: Incoming | None = None
        self.complete: deque[tuple[Environ, bool]] = deque()  # with whether to keep it alive
        self._waits_since = service.loop.time()
        self._is_new = True  # there was no request yet
        self._is_busy = False  # a thread has a request, or its response is being written
        self._is_last = False  # the connection ends with the response
        self._is_paused = False  # nothing is read until the response is written
        self._writing = Writing(Pace(self._waits_since))
        self._end_timer: asyncio.TimerHandle | None = None

    # The loop's calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        client, server = map(transport.get_extra_info, ("peername", "sockname"))
        self._constant = self.service.environ((client or ("",))[0], server[:2])
        self.address = self.service.client_of(self._constant)
        self.service.opened(self)
        self._wait()

    def connection_lost(self, _error: Exception | None) -> None:
        self._hold(-self.held)
        self._writing.stop()
        self.incoming = None  # at once: the parser and we refer to each other
        self.complete.clear()
        if self._end_timer:
            self._end_timer.cancel()
        self.service.closed(self)

    def data_received(self, data: bytes) -> None:
        before = self.incoming
        size = before.size if before else 0
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._is_last = True  # we speak nothing else
        except httptools.HttpParserError as error:
            if not isinstance(error.__context__, TooManyRequests):
                self._refuse(431 if isinstance(error.__context__, FieldsTooLarge) else 400)
        if self._is_busy:
            self._stop_reading_if_there_is_more()
        elif incoming := self.incoming:
            framing = len(data) - incoming.size + (size if incoming is before else 0)
            self._check_size(incoming, framing)
        self.service.check_memory()

    def pause_writing(self) -> None:
        self._writing.is_full = True

    def resume_writing(self) -> None:
        self._writing.is_full = False
        if self._writing.is_on:
            self._write_more()

    def check(self, now: float) -> None:
        """Close the connection if its client takes too long."""
        if self._writing.is_on:
            written = self._writing.size - self.transport.get_write_buffer_size()
            if self._writing.pace.falls_behind(written, now, self.limits):
                self._reset()
        elif incoming := self.incoming:
            if incoming.is_overdue(now, self.limits):
                self._refuse(408)
        elif now - self._waits_since > self.limits.longest_pause(is_new=self._is_new):
            self._end()

    def give_up(self) -> None:
        """Close the connection, as others need its place."""
        if self.incoming and not self._writing.is_on:
            self._refuse(503)
        else:
            self.service.waiting.remove(self)
            self._reset()

    def shutdown(self) -> None:
        """Close the connection after the response to the requests that are complete."""
        self._is_last = True
        if not self._is_busy:
            self._end()

    # The parser's calls.

    def on_message_begin(self) -> None:
        if len(self.complete) >= self.limits.waiting_requests:
            last, _ = self.complete.pop()
            self.complete.append((last, False))
            raise TooManyRequests
        self._is_new = False
        now = self.service.loop.time()
        self.incoming = Incoming(now, Pace(now), self._constant.copy())

    def on_url(self, part: bytes) -> None:
        self._current.target += part
        self._current.add_field(len(part), self.limits)

    def on_header(self, name: bytes, value: bytes) -> None:
        incoming = self._current
        incoming.add_field(len(name) + len(value), self.limits)
        if not incoming.has_head:  # a trailer could pose as a header that a proxy sets
            environ.add_header(incoming.environ, name, value)

    def on_headers_complete(self) -> None:
        head = self._current.environ
        self._current.has_head = True
        if "HTTP_X_FORWARDED_FOR" in head:
            self._belong_to(self.service.client_of(head))
        if head.get("HTTP_EXPECT", "").lower() == "100-continue" and not self._is_busy:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, chunk: bytes) -> None:
        incoming = self._current
        if kept := chunk[: max(0, self.limits.body_size - incoming.size)]:
            incoming.chunks.append(kept)
            self._hold(len(kept) + _OVERHEAD)
        incoming.size += len(chunk)

    def on_message_complete(self) -> None:
        incoming, self.incoming = self._current, None
        whole = incoming.environ
        whole["REQUEST_METHOD"] = self.parser.get_method().decode("latin-1")
        environ.add_target(whole, incoming.target)
        environ.add_body(whole, incoming.chunks)
        is_http_1_1 = self.parser.get_http_version() == "1.1"
        self.complete.append((whole, is_http_1_1 and self.parser.should_keep_alive()))
        if not self._is_busy:
            self._answer_next()

    @property
    def _current(self) -> Incoming:
        assert self.incoming  # noqa: S101  (the parser begins every message)
        return self.incoming

    def _belong_to(self, address: str) -> None:
        """Count the connection for another address, that of a proxy's client."""
        if address != self.address:
            self.service.waiting.remove(self)
            self.address = address
            if not self._is_busy:
                self.service.waiting.add(self)

    # What happens with a request.

    def _answer_next(self) -> None:
        request, keep_alive = self.complete.popleft()
        self._is_busy, self._is_last = True, self._is_last or not keep_alive
        self.service.waiting.remove(self)
        self.service.answer(request, self._answered, keep_alive=not self._is_last)

    def _answered(self, answer: Response) -> None:
        self._hold(-self.held)
        if self.transport.is_closing():
            answer.close()
            return
        self._writing.start(answer, self.service.loop.time())
        self.transport.write(answer.start)
        self._write_more()
        if self._writing.is_on:  # the client has to read first
            self._hold(self.transport.get_write_buffer_size())
            self._wait()

    def _write_more(self) -> None:
        while not self._writing.is_full:
            piece = self._writing.next_piece()
            if not piece:
                self._finish()
                return
            self.transport.write(piece)

    def _finish(self) -> None:
        self._writing.stop()
        self._is_busy = False
        if self._is_last:
            self._end()
        elif self.complete:
            self._answer_next()
        else:
            if self._is_paused:
                self._is_paused = False
                self.transport.resume_reading()
            self._wait()

    def _stop_reading_if_there_is_more(self) -> None:
        if (self.incoming or self.complete) and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    def _check_size(self, incoming: Incoming, framing: int) -> None:
        incoming.framing += framing
        self._hold(framing)
        if incoming.is_mostly_framing(self.limits):
            self._refuse(431)
        elif incoming.size > self.limits.dropped_size:
            self._refuse(413)

    def _wait(self) -> None:
        self._waits_since = self.service.loop.time()
        if self.incoming:
            self.incoming.started = self.incoming.pace.since = self._waits_since
        self.service.waiting.add(self)

    def _refuse(self, status: int) -> None:
        if self._is_busy:
            self._is_last = True
        elif not self.transport.is_closing():
            self.transport.write(response.error(status).start)
            self._end()

    def _end(self) -> None:
        """Close the connection; its client has a moment to read what was written."""
        self.service.waiting.remove(self)
        self.transport.close()
        self._end_timer = self.service.loop.call_later(self.limits.grace_seconds, self._reset)

    def _reset(self) -> None:
        """Close the connection now: the kernel would keep what is unread for minutes."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        self.transport.abort()

    def _hold(self, size: int) -> None:
        self.held += size
        self.service.held += size
