"""What the OpenAPI schema says about every endpoint."""

from http import HTTPStatus
from typing import Any

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


def finish_schema(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the problem answers; lists in a query are separated by commas; no trailing slashes."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and parameter["schema"].get("type") == "array":
                    parameter["explode"] = False
            for status in _refusals(path, operation):
                operation["responses"].setdefault(str(int(status)), _problem_answer(status))
    result["paths"] = {path.rstrip("/"): operations for path, operations in result["paths"].items()}
    return result


def _refusals(path: str, operation: dict[str, Any]) -> list[HTTPStatus]:
    refusals = [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN]
    if operation.get("parameters") or "requestBody" in operation:
        refusals.append(HTTPStatus.BAD_REQUEST)
    if "{" in path:
        refusals.append(HTTPStatus.NOT_FOUND)
    return sorted([*refusals, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.INTERNAL_SERVER_ERROR])


def _problem_answer(status: HTTPStatus) -> dict[str, Any]:
    return {
        "description": status.phrase,
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
