"""E-mails to persons that were claimed before they were sent, so that caps are exact."""

from django.db import models


class MailClaim(models.Model):
    """An e-mail that was or is being sent to a person. It holds no address, only a keyed hash."""

    mailbox = models.CharField(max_length=64, help_text="Keyed hash of the mailbox")
    key = models.CharField(max_length=200, help_text="What is sent: once to each mailbox")
    claimed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "key"], name="one_mail_per_mailbox_and_key")
        ]
        indexes = [models.Index(fields=["claimed_at", "mailbox"], name="mail_claim_by_time")]

    def __str__(self) -> str:
        return f"mail {self.pk}"
