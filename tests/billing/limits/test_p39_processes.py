"""P39: a limit holds against parallel requests, on several real web processes."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.models import User

from billing.models import UsageReservation
from tests.billing.limited_usage import limit, ran
from tests.sdks.servers import web
from tests.tokens import token

pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS, LIMIT = 50, 10


def reserve(server, token):
    body = {"distinct_id": "ada", "meter": "workflow_runs", "reserve": True}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = Request(f"{server}/api/billing/usage/check", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=60) as response:
        return json.load(response)["allowed"]


def test_p39_50_parallel_reservations_at_a_limit_of_10_grant_exactly_10():
    limit(LIMIT)
    ran(event="seen", at=datetime.now(UTC))
    product = token(User.objects.create_superuser("product"), "billing:write")
    with web() as first, web() as second, ThreadPoolExecutor(REQUESTS) as at_once:
        servers = [first, second] * (REQUESTS // 2)  # of two processes each
        granted = list(at_once.map(lambda server: reserve(server, product), servers))
    assert granted.count(True) == LIMIT
    assert UsageReservation.objects.count() == LIMIT
