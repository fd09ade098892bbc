"""E-mail addresses: which are equal, and which mailbox is behind them."""

import string
from contextlib import suppress

import idna

_DOTS_IGNORED = frozenset({"gmail.com", "googlemail.com"})
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def lower_ascii(address: str) -> str:
    """Return the same text for addresses that differ in the case of ASCII letters only.

    In `str.lower`, others become ASCII letters, such as the Kelvin sign and a capital I with a dot:
    an address with them would be equal to that of another person.
    """
    return address.translate(_LOWER)


def canonical(address: str) -> str:
    """Return the one spelling of an address: without its case, and with the domain as DNS has it.

    Texts without an @ are not addresses: only their case goes.
    """
    local, at, domain = lower_ascii(address.strip()).rpartition("@")
    return f"{local}{at}{_in_dns(domain) if at else domain}"


def spellings(address: str) -> set[str]:
    """Return an address with its domain as written, as DNS has it and in Unicode."""
    local, at, domain = canonical(address).rpartition("@")
    readable = domain
    if at:
        with suppress(idna.IDNAError):
            readable = idna.decode(domain)
    return {lower_ascii(address.strip()), f"{local}{at}{domain}", f"{local}{at}{readable}"}


def mailbox(address: str) -> str:
    """Return the same text for addresses that deliver to the same mailbox.

    Case, a tag after a plus sign and, at Gmail, dots do not make another mailbox, nor does another
    spelling of the domain that is the same in DNS (IDNA).
    """
    local, _, domain = canonical(address).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTS_IGNORED:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def has_plain_domain(address: str) -> bool:
    """Return whether a domain is written as DNS has it, in Unicode or in Punycode.

    Mail servers drop invisible characters and map look-alikes, so other spellings without end would
    be the same mailbox.
    """
    domain = lower_ascii(address.rpartition("@")[2])
    if domain.isascii():
        return True
    with suppress(idna.IDNAError):
        return idna.decode(_in_dns(domain)) == domain
    return False


def _in_dns(domain: str) -> str:
    """Return a domain as it is looked up; one that cannot be stays as it is."""
    with suppress(idna.IDNAError):
        return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    return domain
