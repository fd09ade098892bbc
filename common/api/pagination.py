"""Keyset pagination: each page starts after the last row of the previous one, at equal cost."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request


class CursorField(serializers.CharField):
    """An opaque position in a list: a tuple of the values of the last row seen."""

    def __init__(self, *readers: Callable[[str], Any], **options: Any) -> None:
        self.readers = readers
        super().__init__(required=False, help_text="From the previous page; opaque.", **options)

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            values = urlsafe_b64decode(text).decode().split("|")
            return tuple(read(value) for read, value in zip(self.readers, values, strict=True))
        except ValueError as error:
            raise serializers.ValidationError("Not a cursor of this list.") from error


class PageQuery(serializers.Serializer):
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class PageFields(serializers.Serializer):
    next = serializers.URLField(allow_null=True, help_text="The next page, if there is one.")


def next_page(parameters: QueryDict, *position: Any) -> str:
    """Return the query of the page after the row at `position`, such as "?limit=5&cursor=..."."""
    text = "|".join(str(value) for value in position)
    following = parameters.copy()
    following["cursor"] = urlsafe_b64encode(text.encode()).decode()
    return f"?{following.urlencode()}"


def page_link(request: Request, query: str | None) -> str | None:
    """Return the absolute URL of a page of the requested list."""
    return request.build_absolute_uri(query) if query else None
