"""Display received payloads."""

from contextlib import suppress

import msgspec
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.calculations.shortening import shortened_text

MAX_CHARACTERS = 50_000  # characters


def readable(payload: bytes | memoryview) -> str:
    """Return the text of the bytes, with indents where it is JSON."""
    text = bytes(payload).decode(errors="backslashreplace")
    with suppress(msgspec.DecodeError, RecursionError):
        text = msgspec.json.format(text)  # which keeps numbers as they are, unlike decoding
    return text


def as_pre(payload: bytes | memoryview) -> SafeString:
    text = shortened_text(readable(payload), MAX_CHARACTERS)
    return format_html('<pre class="pl-payload">{}</pre>', text)
