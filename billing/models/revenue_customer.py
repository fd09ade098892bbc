"""Customers derived from the ledger, which of them count, and objects that could not be used."""

from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef

# The rule of `CustomerRows` for SQL with a column `customer_id`.
COUNTED = "customer_id NOT IN (SELECT customer_id FROM billing_revenuecustomer WHERE excluded)"


class CustomerRows(models.QuerySet[Any]):
    """Rows with a `customer_id`. This alone decides which customers are in numbers and lists.

    A customer is excluded with its person (test, internal, bot).
    """

    def counted(self) -> Self:
        """Return the rows of customers that are not excluded."""
        return self.filter(~_is_excluded())

    def marked(self) -> Self:
        """Return all rows, with `is_excluded`, for lists that show excluded ones marked."""
        return self.annotate(is_excluded=_is_excluded())


def _is_excluded() -> Exists:
    return Exists(RevenueCustomer.objects.filter(pk=OuterRef("customer_id"), excluded=True))


class RevenueCustomer(models.Model):
    """A Stripe customer with subscriptions, or excluded, as of the newest recount. Derived.

    Amounts are minor units of the reporting currency.
    """

    customer_id = models.CharField(primary_key=True, max_length=255)
    mrr = models.BigIntegerField()
    at_risk = models.BigIntegerField(help_text="MRR whose payment is past due")
    scheduled_churn = models.BigIntegerField(help_text="MRR scheduled to cancel")
    with_tax = models.BigIntegerField(
        default=0, db_default=0, help_text="MRR that contains taxes, at rates that are not known"
    )
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

    refers_to = ArrayField(
        models.TextField(),
        default=list,
        db_default=[],
        help_text="Ids of coupons and prices that its subscriptions only refer to",
    )

    objects = CustomerRows.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["customer_id"],
                condition=models.Q(excluded=True),
                name="revenue_customer_excluded",
            ),
            models.Index(
                fields=["changes_on"],
                condition=models.Q(changes_on__isnull=False),
                name="revenue_customer_changes",
            ),
            models.Index(
                fields=["customer_id"],
                condition=~models.Q(at_risk=0)
                | ~models.Q(with_tax=0)
                | ~models.Q(scheduled_churn=0),
                name="revenue_customer_outlook",
            ),
            GinIndex(fields=["refers_to"], name="revenue_customer_refers_to"),
        ]

    def __str__(self) -> str:
        return self.customer_id


class HeldObject(models.Model):
    """A stored Stripe object that is not included in any total, and why."""

    customer_id = models.CharField("customer", max_length=255)
    stripe_id = models.CharField("Stripe object", max_length=255)
    field = models.CharField(max_length=100)
    reason = models.TextField()

    objects = CustomerRows.as_manager()

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

    objects = CustomerRows.as_manager()

    class Meta:
        indexes = [models.Index(fields=["customer_id"], name="subscription_start_customer")]

    def __str__(self) -> str:
        return self.subscription_id
