"""E-mails to staff: HTML that works in mail clients, and plain text."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.urls import reverse

# Style tags are kept for rules that cannot be inlined: narrow screens and dark mode.
_INLINER = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def render(name: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Return the text and the HTML of templates/operational/email/<name>.txt and .html."""
    context = {**context, "site": settings.PLUMBLINE_URL, "style": _style()}
    text, html = (
        render_to_string(f"operational/email/{name}.{kind}", dict(context))
        for kind in ("txt", "html")
    )
    return text.strip() + "\n", _INLINER.inline(html)


@cache
def _style() -> str:
    return Path(str(finders.find("operational/mail.css"))).read_text()


def link(view: str, *args: Any) -> str:
    """Return the full address of a page."""
    return settings.PLUMBLINE_URL + reverse(view, args=args)
