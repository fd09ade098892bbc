"""What remains of erased persons: receipts and hashes, without personal data."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Erasure(models.Model):
    """The receipt of persons that were erased together."""

    at = models.DateTimeField(db_default=Now(), db_index=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, help_text="Empty: a command"
    )
    persons = models.IntegerField()
    pending = ArrayField(
        models.BigIntegerField(), default=list, help_text="Numbers of persons, until it is finished"
    )
    removed = models.JSONField(default=dict, help_text="Number of rows by where they were")
    finished_at = models.DateTimeField(null=True, help_text="Empty: interrupted; erase them again")

    def __str__(self) -> str:
        return f"erasure {self.pk}"


class ErasedId(models.Model):
    """A distinct id that must not come back: events that name it are dropped.

    `hash` is an HMAC-SHA256 with a key derived from SECRET_KEY, so that the database
    alone is not enough to test guesses.
    """

    hash = models.BinaryField(primary_key=True)
    key = models.CharField(max_length=8, help_text="Fingerprint of the key of the hash")
    erasure = models.ForeignKey(Erasure, null=True, on_delete=models.SET_NULL)

    def __str__(self) -> str:
        return f"erased id {bytes(self.hash).hex()[:8]}"
