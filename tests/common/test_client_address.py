"""S09: the address of a client, behind proxies and in spite of made-up headers."""

from ipaddress import ip_network

import pytest

from common.client_address import client_address, client_network

PROXIES = ["10.0.0.0/8", "2001:db8:aa::/48"]


@pytest.fixture
def proxies(settings):
    settings.PLUMBLINE_TRUSTED_PROXIES = [ip_network(network) for network in PROXIES]


def environ(peer, forwarded=None):
    header = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return {"REMOTE_ADDR": peer} | header


@pytest.mark.parametrize("forwarded", [None, "", "1.2.3.4", "10.0.0.1", "1.2.3.4, 10.0.0.1"])
def test_s09_without_trusted_proxies_the_peer_is_the_client(forwarded):
    assert str(client_address(environ("203.0.113.1", forwarded))) == "203.0.113.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "1.2.3.4,203.0.113.1 , 10.9.9.9", "203.0.113.1"),
        ("10.0.0.1", "10.1.1.1, 203.0.113.1, 10.9.9.9", "203.0.113.1"),
        ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1, <script>", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1, unknown, 10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", "203.0.113.1:55123", "203.0.113.1"),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "::ffff:203.0.113.1", "203.0.113.1"),
        ("2001:db8:aa::1", "203.0.113.1", "203.0.113.1"),
        ("fe80::1%eth0", "203.0.113.1", "fe80::1"),
        ("198.51.100.9", "203.0.113.1", "198.51.100.9"),
    ],
)
def test_s09_the_client_is_the_last_address_that_is_not_a_trusted_proxy(
    proxies, peer, forwarded, client
):
    assert str(client_address(environ(peer, forwarded))) == client


@pytest.mark.parametrize("peer", ["", "unix:", "1.2.3", "1.2.3.4.5", "٣.1.1.1", "x" * 100_000])
def test_s09_an_unreadable_peer_has_no_address(proxies, peer):
    assert client_address(environ(peer, "203.0.113.1")) is None
    assert client_network(environ(peer)) == "unknown"


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("203.0.113.1", "203.0.113.1"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
    ],
)
def test_s09_an_ipv6_client_counts_by_its_network(peer, network):
    assert client_network(environ(peer)) == network


def test_s09_a_header_of_a_hundred_thousand_hops_is_read_from_its_end(proxies):
    hops = ",".join(["1.2.3.4"] * 100_000)
    assert str(client_address(environ("10.0.0.1", f"{hops},203.0.113.1"))) == "203.0.113.1"
