"""How revenue is reported, and the settings the current ledger was built with."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from billing.models.fx_rate import check_currency


class RevenueSettings(models.Model):
    """The only row of settings."""

    reporting_currency = models.CharField(
        max_length=3,
        default="usd",
        help_text="Stripe's code, for example usd. A change rebuilds the ledger with the exchange"
        " rates of each movement's day.",
    )
    gross_margin_percent = models.DecimalField(
        "gross margin, in %",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Share of revenue left after the cost of delivering it, used for LTV. Empty:"
        " 100 % is used, and LTV says so.",
    )
    built_currency = models.CharField(max_length=3, blank=True, editable=False)
    built_formula = models.PositiveSmallIntegerField(default=0, db_default=1, editable=False)
    built_time_zone = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name_plural = "revenue settings"

    def __str__(self) -> str:
        return "Revenue settings"

    def clean(self) -> None:
        check_currency(self.reporting_currency, field="reporting_currency")
