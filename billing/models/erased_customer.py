"""Stripe customers of erased persons: accounting keeps their amounts, without names."""

from django.db import models


class ErasedCustomer(models.Model):
    """A Stripe customer whose person was erased.

    Its objects are stored without personal data from then on, and it is not linked to a person
    again. The two facts keep the revenue figures as they were.
    """

    customer_id = models.CharField(primary_key=True, max_length=255)
    excluded = models.BooleanField(help_text="The person was excluded from all metrics")
    signup_month = models.DateField(null=True, help_text="Month of the person's signup")

    def __str__(self) -> str:
        return self.customer_id
