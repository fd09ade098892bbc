"""Call the API as a member of staff."""

from functools import cache
from typing import Any

from django.contrib.auth.models import User
from rest_framework.test import APIClient


@cache  # a new client reads every static file's name
def staff_client() -> APIClient:
    client = APIClient()
    client.force_authenticate(User(username="staff", is_staff=True, is_superuser=True))
    return client


def get(path: str, **parameters: Any) -> Any:
    """Return the JSON of a response that must be a 200; pass ``from_`` for ``from``."""
    query = {name.rstrip("_"): value for name, value in parameters.items()}
    response = staff_client().get(f"/api/{path}", query)
    assert response.status_code == 200, response.content
    return response.json()


def post(path: str, **data: Any) -> Any:
    """Return the JSON of the response to a POST, which must be a 200."""
    response = staff_client().post(f"/api/{path}", data)
    assert response.status_code == 200, response.content
    return response.json()


def refused(path: str, **parameters: Any) -> Any:
    """Return the problem object of a response that must be a 400."""
    query = {name.rstrip("_"): value for name, value in parameters.items()}
    response = staff_client().get(f"/api/{path}", query)
    assert response.status_code == 400, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.json()
