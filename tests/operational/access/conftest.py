"""Ada, at noon, with and without an authenticator app."""

import pytest
from django.contrib.auth.models import User
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.operational.access.second_factor import PASSWORD, with_password


@pytest.fixture
def noon(time_machine):
    time_machine.move_to("2026-11-30 12:00:00+00:00", tick=False)
    return time_machine


@pytest.fixture
def ada(noon):
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def app(ada):
    return TOTPDevice.objects.create(user=ada, name="Authenticator app")


@pytest.fixture
def logged_in(ada):
    """Ada's browser after the right password."""
    return with_password()
