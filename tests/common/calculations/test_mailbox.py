"""S06: one mailbox, however its address is written."""

import pytest

from analytics.people.addresses import valid_address
from common.calculations.mailbox import has_plain_domain, mailbox

INVISIBLE = ["\u00ad", "\u200d", "\u2060", "\ufe0f", "\u034f", "\ufeff"]


@pytest.mark.parametrize(
    "address", ["ada@gmail.com", " Ada@Gmail.com ", "a.d.a@googlemail.com", "ada+1@gmail.com"]
)
def test_s06_spellings_of_an_address_are_one_mailbox(address):
    assert mailbox(address) == "ada@gmail.com"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.da@example.com", "ada@example.com"),
        ("ada@example.com", "ada@example.org"),
        ("+1@example.com", "+2@example.com"),
        ("\uff41da@example.com", "ada@example.com"),  # full width before the @
    ],
)
def test_s06_other_mailboxes_stay_apart(first, second):
    assert mailbox(first) != mailbox(second)


@pytest.mark.parametrize(
    "domain", ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example", "bü\u00adcher.example"]
)
def test_s06_spellings_of_a_domain_are_one_mailbox(domain):
    assert mailbox(f"ada@{domain}") == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "domain",
    [
        *(f"vic{mark}tim.example" for mark in INVISIBLE),
        "\uff56ictim.example",  # full width
        "victim\u3002example",  # ideographic full stop
        "stra\u00dfe\u00ad.example",
        "\u212aite.example",
    ],
)
def test_s06_an_address_that_mail_servers_respell_is_not_mailed(domain):
    assert not has_plain_domain(f"ada@{domain}")
    assert valid_address(f"ada@{domain}") == ""


@pytest.mark.parametrize(
    "domain", ["Example.com", "bücher.example", "xn--bcher-kva.example", "straße.de", "例え.jp"]
)
def test_s06_a_domain_as_dns_has_it_is_mailed(domain):
    assert valid_address(f"ada@{domain}") == f"ada@{domain}"
