"""Tokens for the API."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):
    """A token, of which only a digest is stored. Revoked and expired tokens remain listed."""

    name = models.CharField(max_length=100, help_text="What the token is for")
    scopes = ArrayField(models.CharField(max_length=50))
    last_used_at = models.DateTimeField(null=True, editable=False)  # to the minute
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name
