"""HTTP requests to other servers: bounded in time and size, and without following redirects.

`GuardedSession` is for addresses that a person entered, such as alert channels. A host name is
resolved once, its addresses are checked, and the connection goes to a checked address, whatever the
name resolves to afterwards. `BoundedSession` is for addresses from the environment.

What a session reports is a status or a kind of failure, never a part of a response or an address
that a name leads to: the person who entered the address must not see networks through it.
"""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from math import inf
from time import monotonic
from typing import Any

import requests
from AntiSSRF import IPAddressRanges
from apprise.utils.http import (
    ConnectionTracker,
    HTTPPolicy,
    HTTPPolicySession,
    is_public_ip_address,
    read_bounded_response,
    track_connections,
    tracked_session,
)
from django.conf import settings

Response = requests.Response
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SECONDS = 20  # for all requests of a guarded session, or for one of a bounded session
CONNECTING = 10  # seconds for each address that is tried
MAX_BYTES = 1024 * 1024  # of a response, decompressed
MAX_ADDRESSES = 2  # of a host name that are tried

NOTHING_SENT = "Nothing was sent; the address may be incomplete."
PRIVATE = "The address is not public. Private networks must be in PLUMBLINE_ALLOWED_NETWORKS."
HOST_HEADER = "A request may not name another host than that of its address."
NOT_ENCRYPTED = (
    "Without TLS, messages are sent only to networks in PLUMBLINE_ALLOWED_NETWORKS. Use an address"
    " with TLS, such as https:// or jsons://."
)


def _networks(*texts: str) -> list[Network]:
    return [ip_network(text) for text in texts]


_NOT_PUBLIC = _networks(*IPAddressRanges.recommended_latest)
# Services of the cloud that hand out a machine's credentials; refused even in an allowed network.
_METADATA = _networks(
    *(*IPAddressRanges.link_local, *IPAddressRanges.wireserver),
    *("fd00:ec2::/32", "fd20:ce::254/128", "100.100.100.200/32"),  # AWS, Google, Alibaba
)


class NoResponse(requests.RequestException):
    """A request without a complete response; the text says which kind of failure it was."""


class Refused(NoResponse):
    """The guard does not connect to the address."""


class _Denied(Exception):
    """Why the guard does not connect; not an OSError, which urllib3 would wrap."""


class _Policy(HTTPPolicy):
    """Connects to allowed addresses only, or to none after checking them (`connects`)."""

    def __init__(self, allows: Callable[[Address], bool], refusal: str, *, connects: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.allows, self.refusal, self.connects = allows, refusal, connects

    def resolve(self, host: str, port: int) -> Sequence[Any]:
        """Return the allowed answers of `getaddrinfo`."""
        try:
            answers = super().resolve(host, port)  # type: ignore[no-untyped-call]
        except OSError as error:
            raise _Denied("The host name does not resolve.") from error
        allowed = [answer for answer in answers if self.allows(_plain(answer[4][0]))]
        if not allowed:
            raise _Denied(self.refusal)
        if not self.connects:
            raise _Denied("")
        return allowed[:MAX_ADDRESSES]


def _plain(address: str) -> Address:
    parsed = ip_address(address)
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _is_own(address: Address) -> bool:
    return _is_in(address, settings.PLUMBLINE_ALLOWED_NETWORKS) and not _is_in(address, _METADATA)


def _is_public(address: Address) -> bool:
    # The two libraries' lists complete each other, and neither depends on Python's version.
    return bool(is_public_ip_address(str(address))) and not _is_in(address, _NOT_PUBLIC + _METADATA)  # type: ignore[no-untyped-call]


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


class _Limits(requests.Session):
    """Bounds the time and size of every response; raises only `NoResponse`."""

    until = inf  # monotonic time at which all of the session's requests end
    seconds = float(SECONDS)
    max_bytes = MAX_BYTES

    def get_redirect_target(self, resp: Response) -> None:
        """Follow no redirect: a redirected POST would arrive as a GET, without its body."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> Response:
        until, tracker = min(self.until, monotonic() + self.seconds), ConnectionTracker()
        try:
            response = self._send_until(until, tracker, request, options)
        except _Denied as error:
            raise Refused(str(error)) from error
        except requests.RequestException as error:
            raise NoResponse(_reason(error, tracker)) from error
        if tracker.expired:  # a response that was cut off may look complete
            raise NoResponse(_reason(requests.Timeout(), tracker))
        return response

    def _send_until(
        self,
        until: float,
        tracker: ConnectionTracker,
        request: requests.PreparedRequest,
        options: dict[str, Any],
    ) -> Response:
        remaining = until - monotonic()
        if remaining <= 0:
            raise requests.Timeout
        options |= {"stream": True, "timeout": (min(CONNECTING, remaining), remaining)}
        with track_connections(tracker, until):
            response = super().send(request, **options)
            body = read_bounded_response(response, self.max_bytes)  # type: ignore[no-untyped-call]
        if body is None:
            raise _TooLarge
        response._content = body  # noqa: SLF001  requests has no public way
        return response


class _TooLarge(requests.RequestException):
    pass


def _reason(error: requests.RequestException, tracker: ConnectionTracker) -> str:
    if tracker.expired or isinstance(error, requests.Timeout):
        return "There was no complete response in time."
    if isinstance(error, _TooLarge):
        return "The response is too large."
    if isinstance(error, requests.exceptions.SSLError):
        return "A TLS connection is not possible; check the certificate."
    if isinstance(error, requests.ConnectionError):
        return "There is no connection."
    return "The response is not valid HTTP."


class BoundedSession(_Limits):
    """Sends to an address from the environment, through the environment's proxies."""

    def __init__(self, seconds: float = SECONDS, *, max_bytes: int = MAX_BYTES) -> None:
        super().__init__()
        self.seconds, self.max_bytes = seconds, max_bytes
        adapter = tracked_session().get_adapter("https://")
        self.mount("http://", adapter)
        self.mount("https://", adapter)


class GuardedSession(_Limits, HTTPPolicySession):
    """Sends to addresses that a person entered; one session serves one message.

    `problem` says why its last request failed. If it does not connect, it only checks. Whatever
    makes a request has no say in how the other side is recognized: certificates are always checked,
    and the host is that of the address.
    """

    def __init__(self, *, connects: bool = True) -> None:
        public = _Policy(lambda a: _is_public(a) or _is_own(a), PRIVATE, connects=connects)
        super().__init__(public)  # type: ignore[no-untyped-call]
        own = _Policy(_is_own, NOT_ENCRYPTED, connects=connects)
        self.mount("http://", HTTPPolicySession(own).get_adapter("http://"))  # type: ignore[no-untyped-call]
        self.until = monotonic() + SECONDS
        self.problem = NOTHING_SENT

    def send(self, request: requests.PreparedRequest, **options: Any) -> Response:
        options["verify"] = options.get("verify") or True
        try:
            if "Host" in request.headers:
                raise Refused(HOST_HEADER)
            response = super().send(request, **options)
        except NoResponse as error:
            self.problem = str(error)
            raise
        self.problem = "" if response.ok else f"The service responded with {response.status_code}."
        if 300 <= response.status_code < 400:
            self.problem = f"The address redirects ({response.status_code}). Enter the final one."
        return response
