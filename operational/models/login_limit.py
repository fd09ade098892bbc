"""How often logging in failed lately."""

from django.db import models


class LoginLimit(models.Model):
    """The failed attempts of one client address, user or known device.

    An attempt is counted before it is checked, so that parallel ones count too, and taken back if
    it succeeds.
    """

    class Kind(models.TextChoices):
        ADDRESS = "address", "Client address"
        USER = "user", "User"
        DEVICE = "device", "Known device"
        CODE = "code", "Second factor"

    kind = models.CharField(max_length=7, choices=Kind.choices)
    subject = models.CharField(
        max_length=150, help_text="The address or network, the user name, or the device's id"
    )
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(db_index=True, help_text="When the next attempt is allowed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="login_limit_by_subject")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}"
