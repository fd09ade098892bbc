"""Addresses that must not be mailed, and why."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from growth.calculations.mail.mail_events import REASON_LABELS
from growth.models.mail_topic import MailTopic

LONGEST_ADDRESS = 320


class Suppression(models.Model):
    """A reason not to mail an address. Each reason stands until it is lifted itself.

    Lifted rows stay as the log of who lifted them and why. The address is found by its hash, which
    is all that stays of it when its person is erased.
    """

    hash = models.BinaryField(help_text="Keyed hash of the address (common.keyed_hash)")
    key = models.CharField(max_length=8, help_text="Fingerprint of the key of the hash")
    address = models.CharField(
        max_length=LONGEST_ADDRESS, blank=True, help_text="Empty: only its hash is kept"
    )
    topic = models.ForeignKey(
        MailTopic,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text="Empty: all of marketing",
    )
    reason = models.CharField(
        max_length=12, choices=[(reason.value, label) for reason, label in REASON_LABELS.items()]
    )
    source = models.CharField(max_length=50, help_text="Where it comes from")
    detail = models.TextField(blank=True, help_text="What the mail server or staff said")
    at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=150, blank=True, help_text="Empty: the person")
    lift_reason = models.TextField(blank=True)

    class Meta:
        verbose_name = "suppressed address"
        verbose_name_plural = "suppressed addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["hash", "topic", "reason"],
                condition=Q(lifted_at=None),
                nulls_distinct=False,
                name="suppressed_once_for_each_reason",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | ~Q(lift_reason=""),
                name="lifting_a_suppression_needs_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["hash"], name="suppression_by_hash")]

    def __str__(self) -> str:
        return f"suppression {self.pk}"
