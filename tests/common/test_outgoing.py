"""S10: what leaves by HTTP to an address that a person entered goes through one guard."""

import gzip
import shutil
import socket
import ssl
import subprocess
import tracemalloc
from contextlib import suppress
from ipaddress import ip_network

import pytest
import requests

from common import outgoing
from common.outgoing import BoundedSession, GuardedSession, NoResponse, Refused
from tests.names import Names
from tests.raw_server import OK, endless, listening

INTERNAL = """
    127.0.0.1 127.8.9.10 127.1 0177.0.0.1 0x7f.0.0.1 0x7f000001 2130706433 017700000001 0 0.0.0.0
    10.0.0.1 10.1 172.16.0.1 172.31.255.254 192.168.1.1 100.64.0.1 192.0.0.8 198.18.0.1
    169.254.169.254 2852039166 0xa9fea9fe 169.254.170.2 168.63.129.16 100.100.100.200
    192.0.2.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    [::1] [::] [::127.0.0.1] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:a9fe:a9fe]
    [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::a00:1]
    [2002:7f00:1::] [2001:0:7f00:1::] [fc00::1] [fd00:ec2::254] [fd20:ce::254] [fe80::1]
    [fe80::1%25lo] [fe80::1%251] [fec0::1] [ff02::1] [5f00::1] [2001:db8::1]
    user@127.0.0.1 example.com:80@127.0.0.1 example.com%2f@10.0.0.1 example.com%23@[::1]
    127.0.0.1:8080 localhost LOCALHOST localhost:443 １２７.0.0.1 ①②⑦.0.0.1 127。0。0。1
""".split()
NAMED = {
    "metadata.google.internal": "169.254.169.254",
    "localhost.": "127.0.0.1",
    "metadata": "fd00:ec2::254",
    "db.example.com": "10.1.2.3",
    "127.0.0.1.nip.io": "127.0.0.1",
    "xn--mller-kva.example": "::ffff:10.0.0.1",
    "127.0.0.1.": "127.0.0.1",
    "a.example.com": "192.168.0.1 fd12::1",
}


@pytest.fixture
def names(monkeypatch):
    return Names(monkeypatch)


@pytest.fixture
def server():
    with listening() as server:
        yield server


@pytest.fixture
def connections(monkeypatch):
    """The addresses to which a connection was attempted; none succeeds."""
    attempts = []

    def connect(self, address):
        attempts.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return attempts


@pytest.fixture
def own(settings):
    """Allow the loopback network, as an operator would."""
    settings.PLUMBLINE_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


def fails(url, **options):
    """Return the problem of a request that must fail."""
    with GuardedSession() as session, pytest.raises((NoResponse, requests.exceptions.InvalidURL)):
        session.post(url, json={}, **options)
    assert session.problem
    return session.problem


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", INTERNAL)
def test_s10_p31_a_host_that_is_not_public_is_not_connected_to(connections, scheme, host):
    fails(f"{scheme}://{host}/")
    assert connections == []


@pytest.mark.parametrize("name", NAMED)
def test_s10_p31_a_name_of_an_internal_address_is_not_connected_to(names, connections, name):
    names[name] = NAMED[name]
    problem = fails(f"https://{name}/")
    assert names.looked_up
    assert (problem, connections) == (outgoing.PRIVATE, [])


def test_s10_a_public_address_is_connected_to(names, connections):
    names["hooks.example.com"] = "93.184.216.34"
    assert fails("https://hooks.example.com/") == "There is no connection."
    assert connections == ["93.184.216.34"]


def test_s10_of_several_addresses_only_allowed_ones_are_tried_and_few(names, connections):
    public = [f"93.184.216.{number}" for number in range(9)]
    names["hooks.example.com"] = " ".join(["10.0.0.1", "::1", *public])
    fails("https://hooks.example.com/")
    assert connections == public[: outgoing.MAX_ADDRESSES]


def test_s10_p31_a_name_that_changes_its_address_leads_to_the_checked_one(names, connections):
    names["hooks.example.com"] = ["93.184.216.34", "127.0.0.1"]
    fails("https://hooks.example.com/")
    assert (names.looked_up, connections) == (["hooks.example.com"], ["93.184.216.34"])


def test_s10_p31_each_request_of_a_session_is_checked(names, connections):
    names["hooks.example.com"] = ["93.184.216.34", "127.0.0.1"]
    with GuardedSession() as session:
        for _ in range(2):
            with pytest.raises(NoResponse):
                session.get("https://hooks.example.com/")
    assert (session.problem, connections) == (outgoing.PRIVATE, ["93.184.216.34"])


def test_s10_without_tls_only_own_networks_are_reached(names, connections):
    names["hooks.example.com"] = "93.184.216.34"
    assert fails("http://hooks.example.com/") == outgoing.NOT_ENCRYPTED
    assert connections == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "gopher://a/", "x:"])
def test_s10_other_schemes_are_refused(connections, url):
    with GuardedSession() as session, pytest.raises(requests.RequestException):
        session.get(url)
    assert connections == []


def test_s10_an_own_network_is_reached_by_address_and_by_name(names, server, own):
    names["hooks.internal"] = "127.0.0.1 10.0.0.1"
    with GuardedSession() as session:
        assert session.post(f"http://127.0.0.1:{server.port}/a", json={}).text == "ok"
        assert session.post(f"http://hooks.internal:{server.port}/b", json={}).text == "ok"
    assert session.problem == ""
    assert f"Host: hooks.internal:{server.port}\r\n".encode() in server.heads[1]


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"])
def test_s10_metadata_is_refused_even_in_an_allowed_network(settings, connections, host):
    settings.PLUMBLINE_ALLOWED_NETWORKS = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    assert fails(f"https://{host}/") == outgoing.PRIVATE
    assert connections == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["http://127.0.0.2:{}/", "//127.0.0.2:{}/", "file:///etc/hosts"])
def test_s10_p31_a_redirect_is_not_followed(server, own, status, target):
    with listening("127.0.0.2") as internal:
        location = target.format(internal.port)
        answer = f"HTTP/1.1 {status} x\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        server.answer = lambda connection: connection.sendall(answer.encode())
        with GuardedSession() as session:
            response = session.post(f"http://127.0.0.1:{server.port}/", allow_redirects=True)
    assert (response.status_code, internal.heads) == (status, [])
    assert session.problem == f"The address redirects ({status}). Enter the final one."


def huge(head):
    return lambda connection: endless(connection, b"x" * 65536, head=head)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 99999999999\r\n\r\n",
    ],
)
@pytest.mark.parametrize("kind", [GuardedSession, BoundedSession])
def test_s10_a_huge_response_is_not_read(server, own, head, kind):
    server.answer = huge(head)
    with kind() as session, pytest.raises(NoResponse, match=r"^The response is too large\.$"):
        session.get(f"http://127.0.0.1:{server.port}/")


def test_s10_a_compressed_response_is_bounded_by_what_it_expands_to(server, own):
    bomb = gzip.compress(bytes(200_000_000), 1)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    server.answer = lambda connection: connection.sendall(head.encode() + bomb)
    tracemalloc.start()
    problem = fails(f"http://127.0.0.1:{server.port}/")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem == "The response is too large."
    assert peak < 8 * outgoing.MAX_BYTES


SLOW = {
    "status line": (b"", b"H"),
    "informational responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
    "body of unspecified length": (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "body of a redirect": (b"HTTP/1.1 301 x\r\nLocation: /\r\nContent-Length: 999\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("part", SLOW)
@pytest.mark.parametrize("kind", [GuardedSession, BoundedSession])
def test_s10_a_response_that_drips_ends_in_time(monkeypatch, server, own, part, kind):
    monkeypatch.setattr(outgoing, "SECONDS", 0.3)
    head, drop = SLOW[part]
    server.answer = lambda connection: endless(connection, drop, head=head, wait=0.05)
    session = kind() if kind is GuardedSession else kind(0.3)
    with session, pytest.raises(NoResponse, match=r"^There was no complete response in time\.$"):
        session.get(f"http://127.0.0.1:{server.port}/")


def test_s10_a_tls_handshake_that_stalls_ends_in_time(monkeypatch, server, own):
    monkeypatch.setattr(outgoing, "SECONDS", 0.3)
    problem = fails(f"https://127.0.0.1:{server.port}/")  # the server waits for a line of text
    assert problem == "There was no complete response in time."


def test_s10_a_guarded_session_has_one_deadline_for_all_its_requests(names, monkeypatch):
    monkeypatch.setattr(outgoing, "SECONDS", 0)
    names["*"] = "93.184.216.34"
    assert fails("https://hooks.example.com/") == "There was no complete response in time."
    assert names.looked_up == []


def test_s10_proxies_of_the_environment_are_not_used(monkeypatch, server):
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv(variable.lower(), f"http://127.0.0.1:{server.port}")
    fails("http://10.0.0.1/")
    fails("https://10.0.0.1/")
    fails("https://10.0.0.1/", proxies={"https": f"http://127.0.0.1:{server.port}"})
    assert server.heads == []


@pytest.mark.parametrize(
    "answer", [b"secret\r\n\r\n", b"HTTP/1.1 500 secret\r\nX: secret\r\n\r\nsecret"]
)
def test_s10_no_problem_has_a_part_of_the_response_or_the_address(names, server, own, answer):
    names["hooks.internal"] = "127.0.0.1"
    server.answer = lambda connection: connection.sendall(answer)
    with GuardedSession() as session, suppress(NoResponse):
        session.get(f"http://hooks.internal:{server.port}/")
    assert len(server.heads) == 1
    assert session.problem in {
        "The service responded with 500.",
        "There is no connection.",
        "The response is not valid HTTP.",
    }


@pytest.fixture
def certificate(tmp_path):
    """A certificate for hooks.internal, with its key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    path = tmp_path / "certificate.pem"
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x"
    extension = "subjectAltName=DNS:hooks.internal"
    files = ["-addext", extension, "-keyout", str(path), "-out", str(tmp_path / "public.pem")]
    subprocess.run(["openssl", *options.split(), *files], check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "public.pem").read_text())
    return path


def test_s10_tls_is_checked_against_the_name_not_the_address(names, server, own, certificate):
    names["hooks.internal"] = names["other.internal"] = "127.0.0.1"
    server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.tls.load_cert_chain(certificate)
    with GuardedSession() as session:
        url = f"https://hooks.internal:{server.port}/"
        assert session.get(url, verify=str(certificate)).text == "ok"
    problem = fails(f"https://other.internal:{server.port}/", verify=str(certificate))
    assert problem == "A TLS connection is not possible; check the certificate."
    assert len(server.heads) == 1


def test_s10_a_check_looks_the_name_up_and_connects_nowhere(names, connections):
    names["hooks.example.com"], names["internal.example.com"] = "93.184.216.34", "10.0.0.1"
    with GuardedSession(connects=False) as session:
        with pytest.raises(Refused):
            session.get("https://hooks.example.com/")
        assert session.problem == ""
        with pytest.raises(Refused):
            session.get("https://internal.example.com/")
        assert session.problem == outgoing.PRIVATE
    assert connections == []


def test_s10_a_bounded_session_keeps_its_connection(server):
    server.answer = lambda connection: (
        [connection.sendall(OK), connection.recv(999)] and (connection.sendall(OK))
    )
    with BoundedSession() as session:
        for _ in range(2):
            assert session.get(f"http://127.0.0.1:{server.port}/").text == "ok"
    assert len(server.heads) == 1
