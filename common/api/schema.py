"""What the OpenAPI schema says about every endpoint."""

from http import HTTPStatus
from typing import Any, cast

from drf_spectacular.openapi import AutoSchema

from common.api.access import ANY_USER, permission_of, scope_of
from common.api.endpoint import Endpoint, declared
from common.api.problems import CONTENT_TYPE

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "example": "about:blank"},
        "title": {"type": "string", "example": "Bad Request"},
        "status": {"type": "integer", "example": 400},
        "detail": {"type": "string", "example": "days: 'x': A valid integer is required."},
        "errors": {
            "type": "array",
            "description": "The invalid parameters or fields.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


class EndpointSchema(AutoSchema):
    """An endpoint's schema: what it declares, and the permission and the scope that it needs."""

    def get_override_parameters(self) -> list[Any]:
        query = declared(self.endpoint.query_class, self.method)
        return [query] if query().fields else []

    def get_request_serializer(self) -> Any:
        body = declared(self.endpoint.body_class, self.method)
        return body if body().fields else None

    @property
    def endpoint(self) -> Endpoint:
        return cast("Endpoint", self.view)

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args)
        permission = permission_of(self.view, self.method)
        if operation is None or permission in {None, ANY_USER}:
            return operation
        for status in self.endpoint.refusals:
            operation["responses"].setdefault(str(int(status)), _problem_answer(status))
        scope = scope_of(permission)
        needs = f"Needs the permission `{permission}`, and of a token the scope `{scope}`."
        description = f"{operation.get('description', '')}\n\n{needs}".strip()
        return operation | {
            "description": description,
            "x-permission": permission,
            "x-scope": scope,
        }


def finish_schema(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the problem answers; lists in a query are separated by commas; no trailing slashes."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and parameter["schema"].get("type") == "array":
                    parameter["explode"] = False
            for status in _refusals(path):
                operation["responses"].setdefault(str(int(status)), _problem_answer(status))
    result["paths"] = {path.rstrip("/"): operations for path, operations in result["paths"].items()}
    return result


def _refusals(path: str) -> list[HTTPStatus]:
    refusals = [HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN]
    if "{" in path:
        refusals.append(HTTPStatus.NOT_FOUND)
    return sorted([*refusals, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.INTERNAL_SERVER_ERROR])


_REASONS = {
    HTTPStatus.UNAUTHORIZED: "No token, or one that does not exist, has expired or was revoked.",
    HTTPStatus.FORBIDDEN: "The token lacks the scope, its user the permission, or a session's"
    " unsafe request the CSRF token.",
}


def _problem_answer(status: HTTPStatus) -> dict[str, Any]:
    return {
        "description": _REASONS.get(status, status.phrase),
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
