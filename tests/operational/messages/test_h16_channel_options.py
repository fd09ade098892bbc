"""H16: a channel's address holds no option that weakens the guard of outgoing requests."""

import pytest

from operational.messages import channel_options, channels
from operational.messages.channels import InvalidAddress
from tests.operational.messages.test_channels import ADDRESSES, TOKEN
from tests.raw_server import listening

REFUSED = """
    verify=no VERIFY=no %76erify=no format=text&verify=no format=text;verify=no verify
    method=GET method=DELETE redirect=yes retry=5 wait=60 rto=999 cto=999 optional=yes store=yes
    template=/etc/hosts attach=/etc/hosts attach-as=x e2ee=yes port=6379 unheard-of=1
    +Host=admin.internal +host=admin.internal %2BHost=admin.internal +Content-Length=1
    +Transfer-Encoding=chunked +Connection=close +X-Forwarded-For=127.0.0.1 +Cookie=a
    +X-HTTP-Method-Override=DELETE +X-Original-URL=/admin
""".split()
ALLOWED = """
    format=markdown image=no overflow=split -key=1 :message=text +Authorization=Bearer%20a
    +X-Api-Key=a +authorization=a to=you&from=me&FORMAT=text
""".split()


@pytest.fixture
def server(web_hook):
    """A server whose answers are written by hand; it is allowed, as `web_hook` is."""
    with listening() as server:
        yield server


@pytest.mark.parametrize("options", REFUSED)
@pytest.mark.parametrize("scheme", ["json", "form", "xml", "nctalk"])
def test_h16_an_option_that_is_not_on_the_list_is_not_saved(web_hook, scheme, options):
    with pytest.raises(InvalidAddress, match=r"Remove .* from the address"):
        channels.check(f"{scheme}://user:pass@{web_hook.address}/room?{options}")


@pytest.mark.parametrize("options", ALLOWED)
def test_h16_what_a_message_says_and_to_whom_may_be_chosen(web_hook, options):
    channels.check(f"json://{web_hook.address}/?{options}")
    channels.send(f"json://{web_hook.address}/?{options}", "Title", "Body")
    assert len(web_hook.posted) == 1


@pytest.mark.parametrize("options", REFUSED)
def test_h16_an_option_of_an_address_saved_earlier_has_no_effect(server, options):
    server.answer = lambda connection: connection.sendall(
        b"HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n"
    )
    host = f"127.0.0.1:{server.port}"
    channels.send(f"json://{host}/path?{options}", "Title", "Body")
    [head] = server.heads
    assert head.startswith(b"POST /path HTTP/1.1")
    assert f"host: {host}\r\n".encode() in head.lower()
    for word in (b"admin", b"override", b"forwarded", b"cookie", b"chunked"):
        assert word not in head.lower()


@pytest.mark.parametrize("url", ADDRESSES)
def test_h16_no_service_leaves_certificates_unchecked(url):
    """Also those that are entered as the address that the service itself displays."""
    service = channels.service(f"{url}{'&' if '?' in url else '?'}verify=no")
    assert service.verify_certificate


def test_h16_the_addresses_of_services_keep_what_signs_them():
    url = (
        "https://prod-01.westus.logic.azure.com:443/workflows/abc/triggers/manual/paths/invoke"
        "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=abcdefgh"
    )
    assert channel_options.refused(url) == []
    assert channels.service(url).url() == channels.service(f"{url}&verify=no").url()
    assert "abcdefgh" in channels.service(url).url(privacy=False)


def test_h16_options_of_an_incident_may_have_any_name():
    options = "+Host=db-1&+method=x"
    assert channel_options.refused(f"opsgenie://{TOKEN}?{options}") == []
