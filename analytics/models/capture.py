"""Capture: project keys, acknowledged requests, imported files, and rejected events."""

import secrets
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now

from analytics.calculations.records import Holds, Reason


class KeyKind(models.TextChoices):
    """Who can know a project key, and so what its events are worth."""

    PUBLIC = "public", "Public: for browsers and apps; everyone can read it"
    SERVER = "server", "Server: secret, for your backend; what it sends is proved"


class ProjectKey(models.Model):
    """A write-only key for capture.

    What a public key sends is a claim, because everyone can read the key: it is measured and never
    acts. What a server key sends is proved. Of a server key only the hash is stored.
    """

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=6, choices=KeyKind, db_default=KeyKind.PUBLIC.value)
    token = models.CharField(
        max_length=64, unique=True, editable=False, help_text="Of a server key only its SHA-256"
    )
    mail_claimed_addresses = models.BooleanField(
        "addresses claimed with this key may be mailed",
        db_default=False,
        help_text="Usage e-mails then also go to addresses that only this public key has set."
        " Everyone who reads the key in your pages can set one, for any person without a proved"
        " address: strangers may receive mail in your name, and facts about that person’s usage."
        " Such e-mails have no link to upgrade, and take at most half of the caps on e-mails.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute")
    revoked_at = models.DateTimeField(
        null=True, blank=True, help_text="Events sent with this key since then are refused (401)."
    )
    rate_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Events per second; more are refused (429), and SDKs send them again."
        " Empty: no limit.",
    )
    daily_quota = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Events per UTC day; more are dropped permanently. Empty: no quota.",
    )

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.token = self.token or f"phc_{secrets.token_urlsafe(24)}"
        super().save(*args, **kwargs)

    @property
    def is_server(self) -> bool:
        return self.kind == KeyKind.SERVER


class IdentitySecret(models.Model):
    """The secret with which the company's backend signs distinct ids.

    It is derived from `salt` and SECRET_KEY (`capture.verified_identity`), so that neither this
    table nor the environment alone gives it away. A retired one no longer verifies.
    """

    salt = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"identity secret of {self.created_at:%Y-%m-%d}"


class InboxRequest(models.Model):
    """One acknowledged capture request, as received, until ingest has stored its events."""

    # No database constraint: checking it would lock the key's row for every request.
    project_key = models.ForeignKey(
        ProjectKey, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    received_at = models.DateTimeField()
    body = models.BinaryField(help_text="As received: JSON, possibly compressed")
    events = models.IntegerField(
        db_default=1, help_text="Events in the request, as counted when accepted"
    )
    size = models.IntegerField(db_default=0, help_text="Bytes, decompressed")
    sent_at = models.DateTimeField(null=True, help_text="By the sender's clock, from a v1 header")
    sdk = models.TextField(db_default="", help_text="Library and version, from a v1 header")

    class Meta:
        verbose_name_plural = "inbox"

    def __str__(self) -> str:
        return f"request {self.pk}"


class EventOutcome(models.TextChoices):
    """The outcome of an event that arrived at the capture endpoints."""

    ACCEPTED = "accepted"  # acknowledged: it is then stored, a duplicate, rejected or erased
    STORED = "stored"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    ERASED = "erased"  # dropped: it names an id that was erased
    REFUSED = "refused"  # not acknowledged: its request had no usable event
    CHANGED = "changed"  # stored without properties of its person or group, or its time: twice
    LIMITED = "limited"  # not acknowledged: over the key's rate limit or quota


class CaptureHour(models.Model):
    """The ingestion ledger: events by hour (UTC) of arrival, key, outcome and reason.

    Accepted = stored + duplicate + rejected + erased + waiting in the inbox; changed events are
    among the stored ones.
    """

    pk = models.CompositePrimaryKey("hour", "project_key_id", "outcome", "reason")
    hour = models.DateTimeField()
    project_key = models.ForeignKey(
        ProjectKey, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    outcome = models.CharField(max_length=10, choices=EventOutcome)
    reason = models.CharField(max_length=40, default="")
    events = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}h {self.outcome} {self.reason}: {self.events}"


class ImportRun(models.Model):
    """Progress of an imported file, so that an interrupted import resumes where it stopped."""

    fingerprint = models.CharField(
        max_length=64, help_text="SHA-256 of the file's content and of how it is read"
    )
    file_name = models.CharField(max_length=255)
    file_format = models.CharField(
        max_length=10, db_default="", help_text="The product that wrote the file"
    )
    columns = models.JSONField(null=True, help_text="The names of the columns or fields")
    proved = models.BooleanField(
        db_default=False, help_text="Staff declared the file as coming from the backend"
    )
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    lines = models.BigIntegerField(default=0, help_text="Lines read and committed")
    stored = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    erased = models.BigIntegerField(
        db_default=0, help_text="Lines that name an erased id, which were dropped"
    )
    first_event_at = models.DateTimeField(null=True, help_text="Time of the earliest event")
    last_event_at = models.DateTimeField(null=True, help_text="Time of the latest event")
    future_events = models.BigIntegerField(
        db_default=0, help_text="Events that lay in the future when they were imported"
    )
    old_events = models.BigIntegerField(db_default=0, help_text="Events before the year 2000")

    class Meta:
        verbose_name_plural = "imports"
        indexes = [models.Index(fields=["fingerprint"])]

    def __str__(self) -> str:
        return self.file_name


class RejectedEvent(models.Model):
    """An event that could not be stored, with reason, payload and all data for a retry."""

    rejected_at = models.DateTimeField(db_default=Now(), db_index=True)
    reason = models.CharField(
        max_length=40, choices=[(reason.value, reason.replace("_", " ")) for reason in Reason]
    )
    detail = models.TextField(help_text="The problem, naming the field")
    payload = models.BinaryField(help_text="As received, or as edited since")
    holds = models.CharField(
        "payload is",
        max_length=10,
        choices=[
            (Holds.EVENT.value, "as received"),
            (Holds.READ_EVENT.value, "as read, with corrected time"),
            (Holds.REQUEST.value, "a whole unreadable request"),
        ],
        db_default=Holds.EVENT.value,
    )
    events = models.IntegerField(
        db_default=1, help_text="Events in the payload; each of several follows its position"
    )

    # Only for captured events; empty for imported lines.
    project_key = models.ForeignKey(ProjectKey, null=True, on_delete=models.SET_NULL)
    outcome = models.CharField(
        max_length=10,
        choices=[
            (outcome.value, outcome.label)
            for outcome in (EventOutcome.REJECTED, EventOutcome.REFUSED)
        ],
        db_default=EventOutcome.REJECTED.value,
        help_text="Its outcome in the ingestion ledger",
    )
    received_at = models.DateTimeField(null=True, db_index=True)
    sent_at = models.DateTimeField(null=True, help_text="By the sender's clock")
    sdk = models.TextField(db_default="")
    position = models.IntegerField(db_default=0, help_text="Position in its request, from 0")

    import_run = models.ForeignKey(ImportRun, null=True, on_delete=models.CASCADE)
    line = models.BigIntegerField(null=True, help_text="Line number in the imported file")

    retry_at = models.DateTimeField(
        "retry requested at", null=True, help_text="A worker has yet to retry it"
    )

    class Meta:
        constraints = [
            # A resumed or repeated import of a file reports a bad line only once.
            models.UniqueConstraint(fields=["import_run", "line"], name="rejected_once_per_line")
        ]
        indexes = [
            models.Index(
                fields=["retry_at", "id"],
                condition=models.Q(retry_at__isnull=False),
                name="rejected_to_be_retried",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}: {self.detail}"
