"""The OpenAPI schema describes every endpoint."""

from collections import Counter

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from operational.access.scopes import SCOPES


@pytest.fixture(scope="module")
def schema():
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(request=None, public=True)


def test_it_is_valid_and_generated_without_warnings(schema):
    assert not GENERATOR_STATS
    validate_schema(schema)


def test_no_two_components_share_a_description(schema):
    components = schema["components"]["schemas"].values()
    descriptions = Counter(filter(None, (component.get("description") for component in components)))
    assert len(descriptions) > 20
    assert {text: count for text, count in descriptions.items() if count > 1} == {}


def test_tokens_are_bearer_tokens(schema):
    scheme = schema["components"]["securitySchemes"]["token"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_s07_every_operation_names_its_permission_and_scope(schema):
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            app, scope = path.split("/")[2], operation["x-scope"]
            assert scope in {f"{app}:read", f"{app}:write"}, path
            assert scope in SCOPES
            assert f"`{scope}`" in operation["description"], path
            assert f"`{operation['x-permission']}`" in operation["description"], path


def test_every_operation_documents_its_problems(schema):
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            answer = operation["responses"]["403"]["content"]["application/problem+json"]
            assert answer["schema"] == {"$ref": "#/components/schemas/Problem"}, path


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/operational/send-daily-report", "409"),
        ("/api/billing/usage/check", "409"),
        ("/api/billing/stripe/change-plan", "402"),
        ("/api/billing/stripe/change-plan", "503"),
    ],
)
def test_an_operation_documents_its_own_refusals(schema, path, status):
    answer = schema["paths"][path]["post"]["responses"][status]["content"]
    assert answer == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }


def test_lists_are_separated_by_commas(schema):
    parameters = schema["paths"]["/api/analytics/retention"]["get"]["parameters"]
    [days] = [parameter for parameter in parameters if parameter["name"] == "days"]
    assert (days["schema"]["type"], days["explode"]) == ("array", False)
