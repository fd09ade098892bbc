"""Cash: payments and refunds, in their original currency."""

from django.db import models

from billing.calculations.cash import CashKind
from billing.models.revenue_customer import CustomerRows


class CashEntry(models.Model):
    """A paid invoice, or a refund, a lost dispute or a credit note paid out outside Stripe."""

    stripe_id = models.CharField("Stripe object", primary_key=True, max_length=255)
    customer_id = models.CharField("customer", max_length=255, blank=True, db_index=True)
    kind = models.CharField(
        max_length=12, choices=[(kind.value, kind.value.replace("_", " ")) for kind in CashKind]
    )
    happened_at = models.DateTimeField(db_index=True)
    amount = models.BigIntegerField(help_text="In minor units of the currency, never below 0")
    currency = models.CharField(max_length=3)

    objects = CustomerRows.as_manager()

    class Meta:
        verbose_name_plural = "cash"

    def __str__(self) -> str:
        return f"{self.kind} {self.stripe_id}"
