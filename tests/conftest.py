"""What every test shares."""

from django.conf import settings


def pytest_configure() -> None:
    # A slow hash protects passwords that somebody may steal; these are made for one test.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
