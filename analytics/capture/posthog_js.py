"""The scripts of posthog-js, which pages load from the host of their events.

PostHog's HTML snippet loads ``array.js``; that, and the package's own ``module.js``, load others
such as ``surveys.js``, which are files of the same folder.
"""

import gzip
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from analytics.capture.remote_config import CaptureResponse

is_script_path = re.compile(
    r"/array/[^/]+/array\.js|/static/(?:\d[\w.-]*/)?(?P<name>[a-z][a-z0-9.-]*\.js)"
).fullmatch

_ARRAY = "array.js"
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


def script(path: str, *, accepts_gzip: bool) -> CaptureResponse | None:
    """Return `PLUMBLINE_POSTHOG_JS`, or a file of its folder; None where it is not there.

    Files are read once. While none is set, ``array.js`` says so.
    """
    array, name = settings.PLUMBLINE_POSTHOG_JS, _name(path)
    if not array:
        headers = (*_HEADERS[:1], ("Cache-Control", "no-store"))
        return CaptureResponse(200, _NOT_SET_UP, headers) if name == _ARRAY else None
    file = array if name == _ARRAY else array.parent / name
    if not file.is_file():
        return None
    text = _read(file)
    if accepts_gzip:
        return CaptureResponse(200, text.compressed, (*_HEADERS, ("Content-Encoding", "gzip")))
    return CaptureResponse(200, text.plain, _HEADERS)


def _name(path: str) -> str:
    match = is_script_path(path)
    return (match and match["name"]) or _ARRAY


@lru_cache
def _read(path: Path) -> _Script:
    plain = path.read_bytes()
    return _Script(plain, gzip.compress(plain))
