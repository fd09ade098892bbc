"""S10: what leaves by HTTP to an address that a person entered goes through one guard."""

import shutil
import socket
import ssl
import subprocess
from ipaddress import ip_network

import pytest
import requests

from common import outgoing
from common.outgoing import GuardedSession, NoResponse, Refused
from tests.outgoing import fails
from tests.raw_server import listening

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
def connections(monkeypatch):
    """The addresses to which a connection was attempted; none succeeds."""
    attempts = []

    def connect(self, address):
        attempts.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return attempts


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


def test_s10_proxies_of_the_environment_are_not_used(monkeypatch, server):
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{server.port}")
        monkeypatch.setenv(variable.lower(), f"http://127.0.0.1:{server.port}")
    fails("http://10.0.0.1/")
    fails("https://10.0.0.1/")
    fails("https://10.0.0.1/", proxies={"https": f"http://127.0.0.1:{server.port}"})
    assert server.heads == []


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


def test_h16_a_request_cannot_turn_off_the_check_of_certificates(names, server, own, certificate):
    names["hooks.internal"] = "127.0.0.1"
    server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.tls.load_cert_chain(certificate)
    problem = fails(f"https://hooks.internal:{server.port}/", verify=False)
    assert problem == "A TLS connection is not possible; check the certificate."


def test_h16_a_request_cannot_name_another_host(server, own):
    problem = fails(f"http://127.0.0.1:{server.port}/", headers={"host": "admin.internal"})
    assert (problem, server.heads) == (outgoing.HOST_HEADER, [])


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
