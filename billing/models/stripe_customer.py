"""Links of Stripe customers to persons."""

from django.db import models

from analytics.models import DistinctId


class StripeCustomer(models.Model):
    """A Stripe customer and its person.

    It belongs to a distinct id, so it follows its person through merges and undone merges, and is
    deleted by the database when the person is erased.
    """

    customer_id = models.CharField("Stripe customer", max_length=255, primary_key=True)
    distinct_id = models.ForeignKey(
        DistinctId,
        on_delete=models.CASCADE,
        db_column="distinct_id",
        db_constraint=False,  # the migration makes one that cascades
        related_name="+",
    )

    def __str__(self) -> str:
        return self.customer_id
