"""Customers derived from the ledger, and objects that could not be used."""

from django.db import models


class RevenueCustomer(models.Model):
    """A Stripe customer with subscriptions, as of the newest recount. Derived, with the ledger.

    Amounts are minor units of the reporting currency.
    """

    customer_id = models.CharField(primary_key=True, max_length=255)
    mrr = models.BigIntegerField()
    at_risk = models.BigIntegerField(help_text="MRR whose payment is past due")
    scheduled_churn = models.BigIntegerField(help_text="MRR scheduled to cancel")
    ends_on = models.DateField(null=True, help_text="First day on which scheduled MRR ends")
    changes_on = models.DateField(
        null=True, help_text="When MRR changes on its own, for example at the end of a discount"
    )
    signup_month = models.DateField(
        null=True, help_text="Signup month of the person; empty: unknown"
    )
    excluded = models.BooleanField(
        help_text="Belongs to a test or internal person: not included in any total"
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["changes_on"],
                condition=models.Q(changes_on__isnull=False),
                name="revenue_customer_changes",
            )
        ]

    def __str__(self) -> str:
        return self.customer_id


class HeldObject(models.Model):
    """A stored Stripe object that is not included in any total, and why."""

    customer_id = models.CharField("customer", max_length=255)
    stripe_id = models.CharField("Stripe object", max_length=255)
    field = models.CharField(max_length=100)
    reason = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "stripe_id", "reason"], name="held_object_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stripe_id}: {self.reason}"


class SubscriptionStart(models.Model):
    """When a subscription was created."""

    subscription_id = models.CharField(primary_key=True, max_length=255)
    customer_id = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["customer_id"], name="subscription_start_customer")]

    def __str__(self) -> str:
        return self.subscription_id
