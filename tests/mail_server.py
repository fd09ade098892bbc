"""A real mail server, which keeps what it accepts and refuses mail on request."""

import socket
from collections.abc import Callable
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import cast

from aiosmtpd.controller import Controller


class ReceivedMessage(EmailMessage):
    recipients: list[str]


class HangUp(Exception):
    """Raised by `before` or `after`: the connection ends without a reply."""


_parser = BytesParser(policy=policy.default.clone(message_factory=ReceivedMessage))


class MailServer:
    def __init__(self, port):
        self.port = port
        self.messages: list[ReceivedMessage] = []
        self.refusal = ""  # the SMTP reply that refuses every message
        self.refused: dict[str, str] = {}  # SMTP replies by recipient
        # Called with each message before and after it is accepted.
        self.before: Callable[[ReceivedMessage], object] = lambda message: None
        self.after: Callable[[ReceivedMessage], object] = lambda message: None

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802  aiosmtpd's name
        if self.refusal:
            return self.refusal
        message = cast("ReceivedMessage", _parser.parsebytes(envelope.content))
        message.recipients = envelope.rcpt_tos
        try:
            self.before(message)
            self.messages.append(message)
            self.after(message)
        except HangUp:
            server.transport.abort()
        return "250 OK"

    @property
    def subjects(self):
        return [message["Subject"] for message in self.messages]

    def text(self, number=-1):
        return self.messages[number].get_body(["plain"]).get_content().replace("\r\n", "\n")

    def html(self, number=-1):
        return self.messages[number].get_body(["html"]).get_content()


@contextmanager
def listening(port=None):
    server = MailServer(port or _free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def use(settings, server):
    settings.EMAIL_BACKEND = "common.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.PLUMBLINE_EMAIL_FROM = "Plumbline <plumbline@example.com>"
    settings.ADMIN_EMAIL = ["ada@example.com"]


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
