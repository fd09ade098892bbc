"""Which Stripe customer is which person."""

from django.db import models

from analytics.models import DistinctId


class StripeCustomer(models.Model):
    """A Stripe customer who is known here as a person.

    It belongs to a distinct id, so it follows its person through merges and their undoing, and
    goes (in the database) when the person is erased.
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
