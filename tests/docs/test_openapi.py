"""Every endpoint of the schema keeps what it promises, for every user and every request."""

import pytest
import schemathesis
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis import checks

from analytics.models import ProjectKey
from tests.operational.kpi_data import a_filled_project
from tests.tokens import bearer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))

EXAMPLES = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=True,
)


CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(autouse=True)
def company():
    a_filled_project()


@pytest.fixture
def staff():
    """The header of a token that may do everything."""
    return bearer(User.objects.create_superuser("ada", "ada@example.com"))


@schema.parametrize()
@EXAMPLES
def test_no_answer_is_a_500_and_every_answer_matches_the_schema(case, staff, live_server):
    response = case.call(base_url=live_server.url, headers=staff)
    case.validate_response(response, checks=CHECKS)


@pytest.fixture
def others():
    """The headers of a stranger, of a user without permissions, and of an SDK."""
    capture_key = ProjectKey.objects.create(name="web").token
    sdk = {"Authorization": f"Bearer {capture_key}"}
    return [{}, bearer(User.objects.create_user("eve", is_staff=True)), sdk]


@schema.parametrize()
@EXAMPLES
def test_others_get_nothing(case, others, live_server):
    for headers in others:
        response = case.call(base_url=live_server.url, headers=headers)
        assert response.status_code in {401, 403, 404, 405}, response.text
