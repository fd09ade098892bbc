"""What providers report about e-mails that were sent."""

from django.db import models
from django.db.models.functions import Now

from growth.calculations.mail.mail_events import KIND_LABELS
from growth.models.suppression import LONGEST_ADDRESS


class MailEvent(models.Model):
    """Something that happened to an e-mail, recorded once, also if it is reported again.

    Sends are joined by the Message-ID. Deleted with the person who has the address.
    """

    identity = models.BinaryField(unique=True, help_text="Hash of what makes it the same event")
    provider = models.CharField(max_length=50)
    message_id = models.CharField(max_length=998, blank=True, help_text="Without angle brackets")
    address = models.CharField(max_length=LONGEST_ADDRESS, blank=True)
    kind = models.CharField(
        max_length=12, choices=[(kind.value, label) for kind, label in KIND_LABELS.items()]
    )
    at = models.DateTimeField(db_index=True)
    recorded_at = models.DateTimeField(db_default=Now())
    response = models.TextField(blank=True, help_text="What the receiving mail server said")
    link = models.TextField(blank=True, help_text="The link that was clicked, without its query")
    user_agent = models.CharField(max_length=300, blank=True)
    is_machine = models.BooleanField(
        "machine", default=False, help_text="Opened or clicked by a proxy or a scanner"
    )

    class Meta:
        verbose_name = "e-mail event"
        indexes = [
            models.Index(fields=["address", "kind"], name="mail_event_by_address"),
            models.Index(fields=["message_id"], name="mail_event_by_message"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
