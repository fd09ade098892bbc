"""E-mail by SMTP, with a deadline for each message, however slowly its server responds."""

import smtplib
import socket
from contextlib import suppress
from threading import Timer
from typing import Any

from django.core.mail.backends import smtp

SECONDS = 60  # for a message as a whole; EMAIL_TIMEOUT is for each step of it


class EmailBackend(smtp.EmailBackend):
    """Django's, for connections that end after `SECONDS`."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _EncryptedConnection if self.use_ssl else _Connection

    def close(self) -> None:
        """Close the connection; how a server says goodbye changes nothing about a message."""
        connection = self.connection
        with suppress(smtplib.SMTPException, OSError):
            super().close()
        if connection:
            connection.close()


class _Connection(smtplib.SMTP):
    _timer: Timer | None = None

    def connect(self, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        self._timer = Timer(SECONDS, self._cut)
        self._timer.daemon = True
        self._timer.start()
        return super().connect(*arguments, **options)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        super().close()

    def _cut(self) -> None:
        """End what waits for the server, as if the server had hung up."""
        if self.sock:
            with suppress(OSError):  # closed meanwhile
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # TLS included


class _EncryptedConnection(_Connection, smtplib.SMTP_SSL):
    pass
