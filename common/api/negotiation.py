"""In which format to respond."""

from collections.abc import Iterable

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class LenientNegotiation(DefaultContentNegotiation):
    """Respond in a format that the client accepts, otherwise in the endpoint's own: never 406.

    Scrapers and libraries name formats that they prefer, not all that they can read.
    """

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        available = [*renderers]
        selected: tuple[BaseRenderer, str]
        try:
            selected = super().select_renderer(request, available, format_suffix)
        except NotAcceptable:
            selected = available[0], str(available[0].media_type)
        return selected
