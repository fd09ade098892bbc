"""S10: alert channels send through the guard, and only to services that use it."""

import inspect
import logging
import re
import socket
import sys
from time import monotonic

import pytest
from apprise.plugins import N_MGR

from common import outgoing
from operational.messages import channels
from operational.messages.channels import InvalidAddress, NotSent
from tests.names import Names
from tests.raw_server import listening

TOKEN = "abcdefghijklmnopqrstuvwx"
UUID = "8b799edf-6f98-4d3a-9be7-2862fb4e5752"
ADDRESSES = f"""
    slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general
    slack://xoxb-1234-1234-4ddbc191d40ee098cbaae6f3523ada2d/#general
    https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ
    discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js gchat://workspace/key/token
    matrix://user:pass@host.example.com/#room matrixs://user:pass@host.example.com/#room
    matrixs://host.example.com/{TOKEN}?mode=slack matrixs://user@{"a" * 64}/?mode=t2bot
    mmost://host.example.com/{TOKEN} mmosts://host.example.com/{TOKEN}
    nctalk://user:pass@host.example.com/room nctalks://user:pass@host.example.com/room
    rocket://user:pass@host.example.com/#general rockets://web/hook@host.example.com/#general
    signal://host.example.com/+15555550001 signals://host.example.com/+15555550001
    tgram://123456789:abcdefghijklmnopqrstuvwxyz1234567890/12315544
    tgram://123456789:abcdefghijklmnopqrstuvwxyz1234567890/
    webex://{TOKEN * 4} wxteams://{TOKEN}/room zulip://bot@apprise/{"a" * 32}/general
    workflow://host.example.com/{TOKEN}/{TOKEN} workflows://host.example.com/{TOKEN}/{TOKEN}
    gotify://host.example.com/token gotifys://host.example.com/token
    ntfy://host.example.com/topic ntfys://host.example.com/topic ntfy://topic
    pbul://{TOKEN} pover://{"u" * 30}@{"a" * 30}
    betterstack://{TOKEN} ilert://{TOKEN} incidentio://{TOKEN}/{TOKEN} opsgenie://{UUID}
    goalert://host.example.com/{UUID} goalerts://host.example.com/{UUID}
    pagerduty://ABCDEFGHIJKLMNOPQRSTUVWXYZ012345@{TOKEN} spike://{"1" * 32}
    splunk://routing@{UUID} victorops://routing@{UUID} squadcast://{TOKEN}
    twilio://AC{"7" * 32}:{"a" * 32}@+15555550001/+15555550002
    vonage://aaaaaaaa:{"b" * 16}@15555550001/15555550002
    form://host.example.com/ forms://host.example.com/ json://host.example.com/
    jsons://host.example.com/ xml://host.example.com/ xmls://host.example.com/
""".split()


@pytest.fixture
def names(monkeypatch):
    return Names(monkeypatch)


@pytest.fixture
def server(web_hook):
    """A server whose answers are written by hand; it is allowed, as `web_hook` is."""
    with listening() as server:
        yield server


def problem(url):
    with pytest.raises(NotSent) as error:
        channels.send(url, "Title", "Body")
    return str(error.value)


def test_s10_a_channel_to_loopback_is_refused_unless_its_network_is_allowed(web_hook, settings):
    url = f"json://{web_hook.address}/"
    channels.send(url, "Title", "Body")
    assert [posted["message"] for posted in web_hook.posted] == ["Body"]
    settings.PLUMBLINE_ALLOWED_NETWORKS = []
    assert problem(url) == outgoing.NOT_ENCRYPTED
    assert problem(url.replace("json", "jsons")) == outgoing.PRIVATE
    assert len(web_hook.posted) == 1


def test_every_scheme_has_an_address_in_these_tests():
    assert {url.partition(":")[0] for url in ADDRESSES} == channels.SCHEMES | {"https"}


@pytest.mark.parametrize("url", ADDRESSES)
def test_s10_every_service_goes_through_the_guard(names, monkeypatch, url):
    names["*"] = "127.0.0.1"
    connections = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, to: connections.append(to))
    assert problem(url) in {outgoing.PRIVATE, outgoing.NOT_ENCRYPTED}
    with pytest.raises(InvalidAddress, match="PLUMBLINE_ALLOWED_NETWORKS"):
        channels.check(url)
    assert names.looked_up
    assert connections == []


def test_s10_a_service_cannot_send_past_the_guard(web_hook):
    url = f"json://{web_hook.address}/"
    channels.send(url, "Title", "Body")
    with pytest.raises(LookupError):
        channels.service(url).notify(title="Title", body="Body")
    assert len(web_hook.posted) == 1


@pytest.mark.parametrize("scheme", sorted(channels.SCHEMES))
def test_s10_every_service_uses_only_functions_of_requests(scheme):
    source = inspect.getsource(sys.modules[N_MGR[scheme].__module__])
    used = set(re.findall(r"\brequests\.([a-z]\w*)", source))
    assert used <= {"get", "post", "put", "delete", "request", "codes"}
    raw = r"^\s*(?:import|from) (?:socket|smtplib|subprocess|ssl|http|urllib\.request|asyncio)\b"
    assert not re.search(raw, source, re.MULTILINE)


@pytest.mark.parametrize(
    "scheme",
    "syslog rsyslog dbus gnome glib kde windows macosx growl mqtt mqtts xmpp irc ircs smpp amqp"
    " mailto mailtos aprs blink1 fcm vapid nostr apprise apprises emby kodi ses".split(),
)
def test_s10_a_service_that_is_not_on_the_list_is_refused(scheme):
    with pytest.raises(InvalidAddress):
        channels.service(f"{scheme}://user:pass@127.0.0.1/a/b")


@pytest.mark.parametrize("scheme", ["file", "exec", "http", "https", "gopher", "ftp", "schan"])
def test_s10_what_is_not_a_service_is_refused(scheme):
    with pytest.raises(InvalidAddress):
        channels.service(f"{scheme}://127.0.0.1/")


@pytest.mark.parametrize(
    "url",
    [
        f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}/",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        f"workflows://host.example.com/{TOKEN}/{TOKEN}",
        "tgram://123456789:abcdefghijklmnopqrstuvwxyz1234567890/12315544",
    ],
)
@pytest.mark.parametrize("template", ["/etc/hosts", "file:///etc/hosts", "http://127.0.0.1/"])
def test_s10_a_template_is_not_read_from_files_or_addresses(names, url, template):
    names["*"] = "93.184.216.34"
    with pytest.raises(InvalidAddress, match="Remove template from the address"):
        channels.check(f"{url}?template={template}")
    assert names.looked_up == []


def answer(server, response):
    server.answer = lambda connection: connection.sendall(response)
    return f"json://127.0.0.1:{server.port}/"


def test_s10_a_problem_says_the_status_and_nothing_of_the_response(server):
    url = answer(server, b"HTTP/1.1 403 secret\r\nX-Y: secret\r\nContent-Length: 6\r\n\r\nsecret")
    assert problem(url) == "The service responded with 403."


def test_s10_a_redirect_is_a_problem_although_the_address_says_to_follow(server, web_hook):
    location = f"Location: http://{web_hook.address}/\r\nContent-Length: 0\r\n\r\n"
    url = answer(server, f"HTTP/1.1 307 x\r\n{location}".encode())
    assert problem(f"{url}?redirect=yes") == "The address redirects (307). Enter the final one."
    assert web_hook.posted == []


@pytest.mark.parametrize("parameters", ["optional=yes", "retry=5&wait=60", "rto=999&cto=999"])
def test_s10_parameters_of_an_address_change_neither_time_nor_outcome(server, parameters):
    url = answer(server, b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n")
    before = monotonic()
    assert problem(f"{url}?{parameters}") == "The service responded with 500."
    assert (len(server.heads), monotonic() - before < 5) == (1, True)


def test_s10_a_service_does_not_decide_how_long_the_worker_sleeps(server):
    body = b'{"retry_after_ms": 15000}'
    head = f"HTTP/1.1 429 x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    answer(server, head + body)
    before = monotonic()
    assert problem(f"matrix://user:pass@127.0.0.1:{server.port}/#room")
    assert monotonic() - before < 10


@pytest.mark.parametrize("body", [b"[]", b"null", b"[" * 200_000, b'"x"', b"\xff\xfe", b"NaN"])
def test_s10_a_service_that_stumbles_over_a_response_fails_one_message(server, body):
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    answer(server, head + body)
    for service in ("matrix", "rocket"):
        assert problem(f"{service}://user:pass@127.0.0.1:{server.port}/#room")


def test_s10_a_message_that_no_request_was_made_for_is_not_sent(monkeypatch):
    monkeypatch.setattr(channels, "_notify", lambda *_: True)
    assert problem(f"opsgenie://{UUID}") == outgoing.NOTHING_SENT


def test_s10_no_address_is_logged_at_any_level(server, caplog, capfd):
    url = answer(server, b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n")
    with caplog.at_level(logging.DEBUG):
        problem(f"{url}secret")
    assert server.heads[0].startswith(b"POST /secret")
    assert not re.search(rf"secret|127\.0\.0\.1|{server.port}", capfd.readouterr().err)
