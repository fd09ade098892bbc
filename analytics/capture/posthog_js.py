"""The script of posthog-js, which PostHog's HTML snippet loads from the host of its events."""

import gzip
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from analytics.capture.remote_config import CaptureResponse

is_script_path = re.compile(r"/static/array\.js|/array/[^/]+/array\.js").fullmatch

_HEADERS = (
    ("Content-Type", "text/javascript; charset=utf-8"),
    ("Cache-Control", "public, max-age=3600"),
    ("Vary", "Accept-Encoding"),
)
# Shown where the developer of the page looks, in the browser's console.
_NOT_SET_UP = b"""console.error(
  "Plumbline has no copy of posthog-js: set PLUMBLINE_POSTHOG_JS, or install the package in your" +
  " page's own code. See Plumbline's docs/capture.md."
);
"""


class _Script(NamedTuple):
    plain: bytes
    compressed: bytes


def script(*, accepts_gzip: bool) -> CaptureResponse:
    """Return the file of `PLUMBLINE_POSTHOG_JS`, which is read once, or a script that misses it."""
    path = settings.PLUMBLINE_POSTHOG_JS
    if not path:
        return CaptureResponse(200, _NOT_SET_UP, (*_HEADERS[:1], ("Cache-Control", "no-store")))
    text = _read(path)
    if accepts_gzip:
        return CaptureResponse(200, text.compressed, (*_HEADERS, ("Content-Encoding", "gzip")))
    return CaptureResponse(200, text.plain, _HEADERS)


@lru_cache
def _read(path: Path) -> _Script:
    plain = path.read_bytes()
    return _Script(plain, gzip.compress(plain))
