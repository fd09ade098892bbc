"""Fixtures of the tests about limits."""

import pytest
from django.contrib.auth.models import User


@pytest.fixture
def admin(client, db):
    client.force_login(User.objects.create_superuser("eve"))
    return client
