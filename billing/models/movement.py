"""The MRR ledger: changes per customer, day and currency, and the sums of each day."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from billing.calculations.movements import MovementKind
from billing.models.revenue_customer import CustomerRows

CURRENCY_LENGTH = 3


class MrrMovement(models.Model):
    """The change of a customer's MRR on a day, in one currency; see `billing.revenue.ledger`.

    `amount`, `opening` and `closing` are minor units of the reporting currency; the latter two are
    the customer's whole MRR.
    """

    customer_id = models.CharField("customer", max_length=255)
    day = models.DateField()
    kind = models.CharField(
        max_length=12, choices=[(kind.value, kind.value) for kind in MovementKind]
    )
    amount = models.BigIntegerField(help_text="Negative if MRR went down")
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    original_amount = models.BigIntegerField(help_text="In minor units of the original currency")
    fx_rate = models.DecimalField(
        "exchange rate",
        max_digits=20,
        decimal_places=10,
        null=True,
        help_text="Rate of the day, kept permanently. Empty in the reporting currency and if MRR"
        " went down.",
    )
    opening = models.BigIntegerField(help_text="The customer's MRR before the day")
    closing = models.BigIntegerField(help_text="The customer's MRR after the day")
    sources = ArrayField(models.TextField(), help_text="Ids of the Stripe objects that caused it")

    objects = CustomerRows.as_manager()

    class Meta:
        verbose_name = "MRR movement"
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "day", "currency"],
                name="one_movement_per_customer_day_currency",
            )
        ]
        indexes = [
            models.Index(fields=["day"], name="mrr_movement_by_day"),
            models.Index(
                fields=["currency", "day"],
                condition=models.Q(kind=MovementKind.HELD.value),
                name="mrr_movement_held",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.customer_id} on {self.day}"


class MrrDay(models.Model):
    """The movements of all counted customers on a day: sums in the reporting currency."""

    MOVEMENTS = (
        *("new", "reactivation", "expansion", "contraction", "churn"),
        *("new_customers", "reactivated_customers", "churned_customers"),
    )
    CHURN = "lost_customers", "joined_and_left", "lost_mrr"

    day = models.DateField(primary_key=True)
    new = models.BigIntegerField()
    reactivation = models.BigIntegerField()
    expansion = models.BigIntegerField()
    contraction = models.BigIntegerField(help_text="Positive, as it is subtracted")
    churn = models.BigIntegerField(help_text="Positive, as it is subtracted")
    new_customers = models.IntegerField()
    reactivated_customers = models.IntegerField()
    churned_customers = models.IntegerField()

    # How the churn of the 30 days that end on the day differs from that of the day before; days
    # ahead say what will leave the window (`billing.revenue.customer_churn`).
    lost_customers = models.IntegerField(default=0, db_default=0)
    joined_and_left = models.IntegerField(default=0, db_default=0)
    lost_mrr = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = "MRR of a day"

    def __str__(self) -> str:
        return f"MRR movements of {self.day}"
