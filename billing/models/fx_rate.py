"""Exchange rates entered by staff or imported."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from common.calculations.currency import DECIMALS


def check_currency(code: str, *, field: str) -> None:
    """Raise a ValidationError that names the model's field for a currency that Stripe has not."""
    if code not in DECIMALS:
        message = f"“{code}” is not a supported currency: write it as Stripe does, such as usd."
        raise ValidationError({field: message})


class FxRate(models.Model):
    """One whole unit of `currency` is `rate` whole units of `into`, from `day` on."""

    currency = models.CharField(max_length=3, help_text="For example eur")
    into = models.CharField(max_length=3, help_text="The reporting currency, for example usd")
    day = models.DateField(help_text="Applies until there is a newer rate, for at most 7 days")
    rate = models.DecimalField(
        max_digits=20,
        decimal_places=10,
        validators=[MinValueValidator(1e-10)],
        help_text="For 1 EUR = 1.0835 USD enter 1.0835",
    )

    class Meta:
        verbose_name = "exchange rate"
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "into", "day"],
                name="one_rate_per_currencies_and_day",
                violation_error_message="These currencies already have a rate on this day.",
            )
        ]

    def __str__(self) -> str:
        return f"1 {self.currency.upper()} = {self.rate} {self.into.upper()} on {self.day}"

    def clean(self) -> None:
        check_currency(self.currency, field="currency")
        check_currency(self.into, field="into")
        if self.currency == self.into:
            raise ValidationError({"into": "Choose two different currencies."})
