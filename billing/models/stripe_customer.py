"""Links of Stripe customers to persons, and those that staff refused."""

from django.db import models
from django.db.models.functions import Now

from analytics.models import DistinctId


class LinkProof(models.TextChoices):
    """Why a customer is a person. What a buyer can choose, such as an address, proves nothing."""

    METADATA = "metadata", "The metadata at Stripe names the person"
    EMAIL = "email", "Same e-mail address, which is proved"
    STAFF = "staff", "Linked by staff"


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
    proof = models.CharField(
        max_length=8, choices=LinkProof, default=LinkProof.STAFF, editable=False
    )

    def __str__(self) -> str:
        return self.customer_id


class RefusedLink(models.Model):
    """Staff said that a Stripe customer is not this person: it is neither linked nor suggested.

    Deleted by the database when the person is erased.
    """

    customer_id = models.CharField(max_length=255)
    distinct_id = models.ForeignKey(
        DistinctId,
        on_delete=models.CASCADE,
        db_column="distinct_id",
        db_constraint=False,  # the migration makes one that cascades
        related_name="+",
    )
    refused_at = models.DateTimeField(db_default=Now())
    refused_by = models.TextField(help_text="The staff user in the admin")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "distinct_id"], name="one_refusal_per_customer_and_id"
            )
        ]

    def __str__(self) -> str:
        return f"refusal {self.pk}"
