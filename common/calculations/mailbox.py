"""E-mail addresses: which are equal, and which mailbox is behind them."""

import string
import unicodedata

_DOTS_IGNORED = frozenset({"gmail.com", "googlemail.com"})
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def lower_ascii(address: str) -> str:
    """Return the same text for addresses that differ in the case of ASCII letters only.

    In `str.lower`, others become ASCII letters, such as the Kelvin sign and a capital I with a dot:
    an address with them would be equal to that of another person.
    """
    return address.translate(_LOWER)


def mailbox(address: str) -> str:
    """Return the same text for addresses that deliver to the same mailbox.

    Case, a tag after a plus sign and, at Gmail, dots do not make another mailbox. Domains that look
    alike are the same in DNS (IDNA); what is before the @ is not.
    """
    local, _, domain = lower_ascii(address.strip()).rpartition("@")
    domain = unicodedata.normalize("NFKC", domain).casefold()
    local = local.partition("+")[0] or local
    if domain in _DOTS_IGNORED:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"
