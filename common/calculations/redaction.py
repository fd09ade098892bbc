"""Remove from a text what names a person or opens a door: addresses, keys, links, queries."""

import re

OMITTED = "…"
LONGEST = 1_000  # characters of a text; the patterns take longer and longer for more

_LETTER = r"[^\s@'\"<>(){}\[\],;:=/\\|&?]"
_NAME = (
    r"password|passwd|secret|token|api_?key|authorization|cookie|signature|search|data|email|user"
)
_VALUE = r"'[^']*'|\"[^\"]*\"|[^\s,;&)}\]]+"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_RULES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        # An address keeps its host: https://hooks.slack.com/…
        (r"(\b[a-zA-Z][\w+.-]*://)(?:[^\s/@'\"]*@)?([^\s/?#'\"<>,;)]*)[^\s'\"<>,)]*", r"\1\2/…"),
        (r"(?<![\w.])/(?:api|admin|array|billing|mail|reports)/[^\s'\"<>,)]*", "/…"),
        (r"\?[^\s'\"<>]*=[^\s'\"<>]*", "?…"),
        (rf"(?<!{_LETTER}){_LETTER}+?(?:@|%40){_LETTER}+", OMITTED),
        # Keys of Plumbline, PostHog and Stripe; tokens; what follows such a name.
        (r"\b((?:ph[a-z]|[spr]k|whsec)_)[\w*]{4,}", r"\1…"),
        (r"\b\w+?_secret_\w+", OMITTED),
        (r"(?i)\b(bearer|basic|token|apikey)(:? )[\w.~+/=:-]{8,}", r"\1\2…"),
        (rf"(?i)((?<![\w-])[\w-]*(?:{_NAME})\w*['\"]?\s*[=:]\s*)(?:{_VALUE})", r"\1…"),
        # Signed links, and other long random texts but uuids.
        (r"(?<![\w.-])[\w.-]+:[\w-]{4,8}:[\w-]{27,}", OMITTED),
        (rf"(?<![\w-])(?!{_UUID}(?![\w-]))(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{{32,}}", OMITTED),
    )
]
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def redact(text: str) -> str:
    """Return the text on one line, cut, with an ellipsis for whatever is not for logs."""
    text = _UNPRINTABLE.sub(" ", text[:LONGEST])
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
