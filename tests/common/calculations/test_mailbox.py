"""S06: one mailbox, however its address is written."""

import pytest

from common.calculations.mailbox import mailbox


@pytest.mark.parametrize(
    "address",
    [
        "ada@gmail.com",
        " Ada@Gmail.com ",
        "a.d.a@googlemail.com",
        "ada+1@gmail.com",
        "ａda@gmail.com",
    ],
)
def test_s06_spellings_of_an_address_are_one_mailbox(address):
    assert mailbox(address) == "ada@gmail.com"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.da@example.com", "ada@example.com"),
        ("ada@example.com", "ada@example.org"),
        ("+1@example.com", "+2@example.com"),
    ],
)
def test_s06_other_mailboxes_stay_apart(first, second):
    assert mailbox(first) != mailbox(second)
