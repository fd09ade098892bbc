"""The address from which a request came, behind any number of trusted proxies."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings

Address = IPv4Address | IPv6Address

_IPV6_CLIENT = 64  # bits: a client has such a network to itself, and changes its addresses in it


def client_address(environ: Mapping[str, Any]) -> Address | None:
    """Return the client's address by WSGI's environment or `request.META`; None if unreadable.

    Proxies append to X-Forwarded-For the address that they saw. So it is read from its end, and
    only as far as trusted proxies wrote it; what a client sent in that header is never reached.
    """
    hops = [*environ.get("HTTP_X_FORWARDED_FOR", "").split(","), environ.get("REMOTE_ADDR", "")]
    address = None
    for hop in reversed(hops):
        if (closer := _address(hop)) is None:
            break
        address = closer
        if not any(address in network for network in settings.PLUMBLINE_TRUSTED_PROXIES):
            break
    return address


def client_network(environ: Mapping[str, Any]) -> str:
    """Return what counts as one client: an IPv4 address, the /64 of an IPv6 address, or "unknown".

    It has at most 43 characters.
    """
    address = client_address(environ)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), _IPV6_CLIENT), strict=False))
    return str(address or "unknown")


def _address(text: str) -> Address | None:
    """Return an address, without port, brackets and zone; an IPv4 address mapped to IPv6 is one."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
