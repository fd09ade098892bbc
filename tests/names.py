"""The answers that a test gives to look-ups of host names."""

import socket
from ipaddress import ip_address
from typing import Any

from pytest import MonkeyPatch  # noqa: PT013  only the type

_real = socket.getaddrinfo


class Names:
    """Host names and their addresses; each look-up in turn takes the next list of them."""

    def __init__(self, monkeypatch: MonkeyPatch) -> None:
        self.answers: dict[str, list[list[str]]] = {}
        self.looked_up: list[str] = []
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def __setitem__(self, name: str, addresses: str | list[str]) -> None:
        lists = [addresses] if isinstance(addresses, str) else addresses
        self.answers[name] = [text.split() for text in lists]

    def _look_up(self, host: Any, port: int, *options: Any, **named: Any):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in self.answers and "*" not in self.answers:
            return _real(host, port, *options, **named)
        self.looked_up.append(name)
        lists = self.answers.get(name) or self.answers["*"]
        addresses = lists.pop(0) if len(lists) > 1 else lists[0]
        return [entry for address in addresses for entry in _numeric(address, port)]


def _numeric(address: str, port: int):
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6
    return _real(address, port, family, socket.SOCK_STREAM)
