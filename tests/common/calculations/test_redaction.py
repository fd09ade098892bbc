import secrets

import pytest
from django.core import signing

from common.calculations.redaction import redact

KNOX = secrets.token_hex(32)

SECRETS = {
    "an e-mail address": ("Refused: ada@example.com is unknown", "ada"),
    "an address with a tag": ("to <ada.l+x@mail.example.co.uk>", "ada"),
    "an international address": ("名前@example.jp", "名前"),
    "an encoded address": ("GET /x/ada%40example.com", "ada"),
    "addresses of a refusal": ("{'ada@example.com': (550, b'ada@example.com unknown')}", "ada"),
    "a value of a constraint": ("Key (email)=(ada@example.com) already exists.", "ada"),
    "a public key": ("key phc_k3yk3yk3yk3y is revoked", "k3y"),
    "a server key": ("key phs_k3yk3yk3yk3y", "k3y"),
    "a secret key of Stripe": ("Invalid API Key: sk_live_51Abcdefghijkl", "51A"),
    "a restricted key of Stripe": ("rk_test_51Abcdefghijkl", "51A"),
    "a masked key of Stripe": ("Invalid API Key provided: sk_test_****jklm", "jklm"),
    "a webhook secret": ("whsec_0123456789abcdef", "0123"),
    "a client secret": ("pi_3Nabc_secret_9fGhIjKl", "9fGh"),
    "a bearer token": ("Authorization: Bearer abcdefgh.ijkl", "abcdefgh"),
    "a token of the API": (f"token {KNOX}", KNOX[:8]),
    "half a token of the API": (f"seen {KNOX[:40]}", KNOX[:8]),
    "a signed link's token": (signing.dumps([7, "price_1"], salt="x"), "Wzc"),
    "a random text": (secrets.token_urlsafe(40) + "1a", "1a"),
    "a query": ("GET /x?data=eyJhIjox&search=ada failed", "ada"),
    "a form": ("password=hunter2&next=/", "hunter2"),
    "a JSON text": ('{"token": "hunter2", "email": "Ada L"}', "hunter2"),
    "a database's address": ("postgresql://plumbline:hunter2@db:5432/plumbline", "hunter2"),
    "a channel's address": ("https://hooks.slack.com/services/T0/B0/hunter2", "hunter2"),
    "a channel of another scheme": ("tgram://hunter2/123 failed", "123"),
    "a path of ours": ("Not Found: /api/analytics/persons/ada", "ada"),
    "a path with a token": ("/array/phc_abc/config.js", "phc"),
    "a link to unsubscribe": ("/reports/unsubscribe/abc:def/", "abc"),
    "a link to e-mail preferences": ("/mail/preferences/abc:def/", "abc"),
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_s11_a_text_loses(text, secret):
    assert secret in text
    assert secret not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "Another process is already forwarding",
        "12 stored (3/s), 4 waiting",
        "Stripe event evt_1NG8Du2eZvKYlo2C failed: StripeError",
        "operational.tasks.send_daily_report is already running.",
        "Task a.b[3f0e2c9e-6d1c-4f57-9c1e-7f0c1d2b3a45] raised unexpected: …",
        'connection to server at "127.0.0.1", port 5432 failed: Connection refused',
        'relation "analytics_event_2031_01" does not exist',
        "200 OK: GET admin:auth_user_change",
    ],
)
def test_what_operators_need_stays(text):
    assert redact(text) == text


def test_the_host_of_an_address_stays():
    assert (
        redact("Retry https://api.stripe.com:443/v1/x?a=b") == "Retry https://api.stripe.com:443/…"
    )


def test_s11_a_text_cannot_forge_a_line():
    assert "\n" not in redact("ok\n2026-01-01 CRITICAL forged\r\x1b[31m\u2028")
    assert "\x1b" not in redact("\x1b[31m")
