"""`manage.py check_domain`, against a DNS server on this machine."""

import base64
import io

import pytest
from django.core.management import CommandError, call_command

from tests.growth.suppression.dns_server import dns_server

DOMAIN = "mail.shop.example"
KEY = base64.b64encode(b"k" * 294).decode()  # as long as a key of 2,048 bits
SPF, DMARC = (
    "v=spf1 include:spf.provider.example -all",
    "v=DMARC1; p=reject; rua=mailto:d@a.example",
)
GOOD = {
    DOMAIN: ["other=1", SPF],
    "spf.provider.example": ["v=spf1 ip4:192.0.2.0/24 ~all"],
    f"s1._domainkey.{DOMAIN}": [f"v=DKIM1; k=rsa; p={KEY}"],
    "_dmarc.shop.example": [DMARC],
}
HEADERS = (
    "List-Unsubscribe: <https://a.example/>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
)
SIGNED = """DKIM-Signature: v=1; d=shop.example; s=s1;
 h=From:To:List-Unsubscribe:
  List-Unsubscribe-Post; b=abc
"""


def check(records, *arguments):
    """Return the output, whether there was a problem or not."""
    out = io.StringIO()
    with dns_server(records) as server:
        try:
            call_command(
                "check_domain",
                DOMAIN,
                "--selector=s1",
                f"--server={server}",
                *arguments,
                stdout=out,
            )
        except CommandError as error:
            out.write(str(error))
    return out.getvalue()


def test_a_domain_that_is_set_up_has_no_problem():
    output = check(GOOD)
    assert [line.split()[0] for line in output.splitlines()[:3]] == ["OK", "OK", "OK"]
    assert "to fix" not in output


@pytest.mark.parametrize(
    ("changes", "text", "remedy"),
    [
        ({DOMAIN: []}, "has no SPF record", "Add a TXT record"),
        ({DOMAIN: [SPF, "v=spf1 -all"]}, "has 2 SPF records", "Merge them"),
        ({DOMAIN: ["v=spf1 +all"]}, "allows everyone", "End it with"),
        ({DOMAIN: ["v=spf1 a mx"]}, "refuses no server", "End it with"),
        (
            {"spf.provider.example": ["v=spf1 " + "a:x.example " * 10 + "-all"]},
            "needs 11 DNS lookups",
            "Remove includes",
        ),
        ({DOMAIN: [f"v=spf1 include:{DOMAIN} -all"]}, "receivers stop after 10", "Remove includes"),
        ({f"s1._domainkey.{DOMAIN}": []}, "has no key", "s= of DKIM-Signature"),
        ({f"s1._domainkey.{DOMAIN}": ["v=DKIM1; p="]}, "is revoked", "new one"),
        ({f"s1._domainkey.{DOMAIN}": ["p=a!"]}, "not valid base64", "whole"),
        ({f"s1._domainkey.{DOMAIN}": [f"p={'QUJD' * 54}"]}, "1,024 bits", "2,048"),
        ({f"s1._domainkey.{DOMAIN}": [f"t=y; p={KEY}"]}, "test mode", "Remove t=y"),
        ({"_dmarc.shop.example": []}, "has no DMARC record", "v=DMARC1"),
        ({"_dmarc.shop.example": ["v=DMARC1; p=none"]}, "p=none", "p=quarantine"),
        ({"_dmarc.shop.example": ["v=DMARC1; p=reject"]}, "without reports", "rua=mailto"),
        ({"_dmarc.shop.example": [DMARC, "v=DMARC1; p=none"]}, "several DMARC records", "single"),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(changes, text, remedy):
    output = check(GOOD | changes)
    assert text in output
    assert remedy in output.partition(text)[2]


def test_a_domain_that_does_not_exist_has_three_problems():
    assert "3 to fix." in check({})


def test_a_dns_server_that_does_not_answer_is_a_problem(monkeypatch):
    monkeypatch.setattr("growth.suppression.domain_check._SECONDS", 0.05)
    with pytest.raises(CommandError, match="2 to fix"):
        call_command("check_domain", DOMAIN, "--server=127.0.0.1:9", stdout=io.StringIO())


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        (HEADERS + SIGNED, "DKIM signs both headers"),
        (SIGNED, "lacks List-Unsubscribe and List-Unsubscribe-Post"),
        (HEADERS, f"No DKIM signature of {DOMAIN}"),
        (HEADERS + SIGNED.replace("shop.example", "provider.example"), "No DKIM signature"),
        (HEADERS + SIGNED.replace("shop.example", "example"), "No DKIM signature"),
        (
            HEADERS + SIGNED.replace(":\n  List-Unsubscribe-Post", ""),
            "h= of the DKIM signature lacks List-Unsubscribe-Post",
        ),
    ],
)
def test_p59_a_message_whose_signature_misses_the_headers_is_a_problem(tmp_path, headers, text):
    file = tmp_path / "message.eml"
    file.write_text(f"From: a@{DOMAIN}\n{headers}\nHello\n")
    output = check(GOOD, f"--message={file}")
    assert text in output
    assert ("to fix" in output) == ("signs both" not in output)


def test_a_message_that_cannot_be_read_says_so(tmp_path):
    assert "No such file" in check(GOOD, f"--message={tmp_path / 'none.eml'}")
