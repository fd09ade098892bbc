"""A quick look at what test_openapi.py tests at length: reading answers as the schema says."""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft4Validator
from rest_framework.test import APIClient

from tests.api import staff_client
from tests.docs.words import FORBIDDEN_NAMES
from tests.operational.kpi_data import a_filled_project

pytestmark = pytest.mark.django_db


def with_null(schema: Any) -> Any:
    """Translate OpenAPI's `nullable` into JSON Schema."""
    if isinstance(schema, list):
        return [with_null(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: with_null(part) for key, part in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@pytest.fixture
def schema() -> Any:
    a_filled_project()
    return with_null(SchemaGenerator().get_schema(request=None, public=True))


def readable(schema: Any) -> list[str]:
    """Return the paths that can be read without parameters."""
    return [
        path
        for path, methods in schema["paths"].items()
        if "{" not in path
        and "get" in methods
        and not any(parameter.get("required") for parameter in methods["get"].get("parameters", []))
    ]


def test_a_response_to_staff_is_valid_by_the_schema(schema):
    paths = readable(schema)
    assert len(paths) > 20
    for path in paths:
        responses = schema["paths"][path]["get"]["responses"]
        response = staff_client().get(path)
        assert str(response.status_code) in responses, path
        content = responses[str(response.status_code)].get("content", {})
        if "application/json" in content:
            document = content["application/json"]["schema"] | {"components": schema["components"]}
            Draft4Validator(document).validate(response.json())


def test_a_stranger_reads_nothing(schema):
    for path in readable(schema):
        assert APIClient().get(path).status_code in {401, 403}, path


def names(part: Any) -> Iterator[str]:
    """Yield the names of the properties and parameters in a part of the schema."""
    if isinstance(part, list):
        for item in part:
            yield from names(item)
    elif isinstance(part, dict):
        if isinstance(properties := part.get("properties"), dict):
            yield from properties
        if "in" in part and isinstance(name := part.get("name"), str):
            yield name
        for item in part.values():
            yield from names(item)


def test_no_property_or_parameter_has_a_forbidden_name():
    in_use = set(names(SchemaGenerator().get_schema(request=None, public=True)))
    assert in_use >= {"related_figures", "as_of"}  # a property, a parameter
    assert {name for name in in_use if name.strip("_").lower() in FORBIDDEN_NAMES} == set()
