"""Every endpoint of the schema keeps what it promises, for every user and every request."""

import pytest
import schemathesis
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from knox.models import AuthToken
from schemathesis import checks

from analytics.models import ProjectKey
from tests.operational.kpi_data import a_filled_project

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
def staff_token():
    ada = User.objects.create_superuser("ada", "ada@example.com")
    return AuthToken.objects.create(ada)[1]


@schema.parametrize()
@EXAMPLES
def test_no_answer_is_a_500_and_every_answer_matches_the_schema(case, staff_token, live_server):
    headers = {"Authorization": f"Bearer {staff_token}"}
    response = case.call(base_url=live_server.url, headers=headers)
    case.validate_response(response, checks=CHECKS)


@pytest.fixture
def others():
    """The headers of a stranger, of a user who is not staff, and of an SDK."""
    eve = AuthToken.objects.create(User.objects.create_user("eve"))[1]
    capture_key = ProjectKey.objects.create(name="web").token
    return [{}, *({"Authorization": f"Bearer {token}"} for token in (eve, capture_key))]


@schema.parametrize()
@EXAMPLES
def test_others_get_nothing(case, others, live_server):
    for headers in others:
        response = case.call(base_url=live_server.url, headers=headers)
        assert response.status_code in {401, 403, 404, 405}, response.text
