"""The base of every API view: it declares once what its requests may hold.

The check and the OpenAPI schema read the same declaration.
"""

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any, TypeAlias

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.serializers import Serializer, ValidationError
from rest_framework.views import APIView

from common.api.unusable import unusable_fields, unusable_parameters
from common.read_once import reading_together

Declared: TypeAlias = "type[Serializer] | Mapping[str, type[Serializer]] | None"


class Endpoint(APIView):
    """A view that refuses (400) every query parameter and body field that it does not declare.

    `query_class` and `body_class` are a serializer, or a mapping of methods to serializers; a
    method without one takes nothing. What they read is in `query` and `body`.
    """

    query_class: Declared = None
    body_class: Declared = None
    refusals: Collection[HTTPStatus] = ()  # of its own, beyond those of every endpoint
    query: dict[str, Any]
    body: dict[str, Any]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Read once what several parts need, where a request changes nothing."""
        with reading_together() if request.method in SAFE_METHODS else nullcontext():
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # who is not allowed learns nothing
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method == "OPTIONS" or method not in self.allowed_methods:
            return
        query = declared(self.query_class, method)()
        body = declared(self.body_class, method)
        errors = unusable_parameters(request.query_params, query.fields, body().fields)
        errors |= unusable_fields(request.data, body().fields)
        if errors:
            raise ValidationError(errors)
        self.query = _valid(type(query), request.query_params)
        self.body = _valid(body, self.read_body(request))

    def get_parsers(self) -> list[BaseParser]:
        """Without a body of its own a view reads forms, too, to name the fields that it refuses."""
        forms = [] if self.body_class else [FormParser(), MultiPartParser()]
        return [*super().get_parsers(), *forms]

    def read_body(self, request: Request) -> Any:
        """Return the body, with what a request may also say elsewhere."""
        return request.data


class Nothing(Serializer):
    """What a method without a declaration takes."""


def declared(declaration: Declared, method: str) -> type[Serializer]:
    """Return the serializer that a declaration names for a method."""
    if isinstance(declaration, Mapping):
        return declaration.get(method, Nothing)
    return declaration or Nothing


def _valid(serializer_class: type[Serializer], values: Any) -> dict[str, Any]:
    serializer = serializer_class(data=values)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
