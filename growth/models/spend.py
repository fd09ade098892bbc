"""What was spent on marketing and sales, and the names of its channels."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from growth.calculations.spend.channels import LONGEST_CHANNEL, normalized
from growth.calculations.spend.lines import LONGEST_CAMPAIGN


class SpendDay(models.Model):
    """The spend of a channel and campaign on a day; 0 says that nothing was spent.

    `amount` is in minor units of `currency`, `reported` in those of `into`, the reporting currency
    when it was entered. The rate is kept permanently. Without one, the amount is held.
    """

    channel = models.CharField(max_length=LONGEST_CHANNEL)
    campaign = models.CharField(max_length=LONGEST_CAMPAIGN, blank=True)
    day = models.DateField()
    amount = models.BigIntegerField(help_text="In minor units of the currency")
    currency = models.CharField(max_length=3)
    into = models.CharField("reporting currency", max_length=3)
    fx_rate = models.DecimalField(
        "exchange rate",
        max_digits=20,
        decimal_places=10,
        null=True,
        help_text="Rate of the day, kept permanently. Empty in the reporting currency, and while"
        " there is none.",
    )
    reported = models.BigIntegerField(
        null=True, help_text="In minor units of the reporting currency; empty: no exchange rate"
    )
    updated_at = models.DateTimeField(db_default=Now())
    is_demo = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name = "spend of a day"
        verbose_name_plural = "spend by day"
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "campaign", "day"], name="spend_once_per_channel_and_day"
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="spend_not_negative"),
        ]
        indexes = [models.Index(fields=["day"], name="spend_by_day")]

    def __str__(self) -> str:
        return f"{self.channel} on {self.day}"


class ChannelAlias(models.Model):
    """Another name of a channel, in spend or in where people came from."""

    alias = models.CharField(
        max_length=LONGEST_CHANNEL, unique=True, help_text="For example google ads"
    )
    channel = models.CharField(max_length=LONGEST_CHANNEL, help_text="For example google")

    class Meta:
        verbose_name = "channel alias"
        verbose_name_plural = "channel aliases"

    def __str__(self) -> str:
        return f"{self.alias} is {self.channel}"

    def clean(self) -> None:
        """Normalize both names; aliases do not chain."""
        self.alias, self.channel = normalized(self.alias), normalized(self.channel)
        others = ChannelAlias.objects.exclude(pk=self.pk)
        if not self.alias or not self.channel or self.alias == self.channel:
            raise ValidationError("Enter two different names.")
        if others.filter(alias=self.channel).exists():
            raise ValidationError({"channel": f"“{self.channel}” is an alias itself."})
        if others.filter(channel=self.alias).exists():
            raise ValidationError({"alias": f"“{self.alias}” is a channel with aliases."})
