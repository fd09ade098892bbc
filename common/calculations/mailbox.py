"""The mailbox behind an e-mail address, in whichever way it is written."""

import unicodedata

_DOTS_IGNORED = frozenset({"gmail.com", "googlemail.com"})


def mailbox(address: str) -> str:
    """Return the same text for addresses that deliver to the same mailbox.

    Case, a tag after a plus sign and, at Gmail, dots do not make another mailbox.
    """
    local, _, domain = unicodedata.normalize("NFKC", address.strip()).casefold().rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTS_IGNORED:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"
