"""Codes of inviters, and who came with them."""

from django.db import models
from django.db.models.functions import Now

from analytics.models import DistinctId
from growth.calculations.referral import LONGEST_CODE
from growth.models.referral_program import ReferralProgram


class ReferralCode(models.Model):
    """The code of an inviter.

    It belongs to a distinct id, so it follows its person through merges, and is deleted by the
    database when the person is erased.
    """

    code = models.CharField(primary_key=True, max_length=LONGEST_CODE)
    program = models.ForeignKey(ReferralProgram, on_delete=models.PROTECT, related_name="codes")
    distinct_id = models.ForeignKey(
        DistinctId,
        on_delete=models.CASCADE,
        db_column="distinct_id",
        db_constraint=False,  # the migration makes one that cascades
        related_name="+",
    )
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        verbose_name = "referral code"
        constraints = [
            models.UniqueConstraint(
                fields=["program", "distinct_id"], name="referral_code_of_an_id"
            )
        ]

    def __str__(self) -> str:
        return self.code


class Referral(models.Model):
    """A person who came with a code, derived from their events and properties.

    `growth.referrals.attribution` writes it again whenever these change. Whether it counts is
    decided when it is read (`growth.referrals.referred`), from the persons as they are then. For
    the viral coefficient this is stored (`growth.referrals.invitations`).
    """

    distinct_id = models.OneToOneField(
        DistinctId,
        on_delete=models.CASCADE,
        primary_key=True,
        db_column="distinct_id",
        db_constraint=False,  # the migration makes one that cascades
        related_name="+",
    )
    code = models.ForeignKey(
        ReferralCode,
        on_delete=models.CASCADE,
        db_column="code",
        db_constraint=False,  # the same
        related_name="referrals",
    )
    clicked_at = models.DateTimeField(db_index=True, help_text="The signup where no click is known")
    signed_up_at = models.DateTimeField(null=True, db_index=True)
    is_named = models.BooleanField(help_text="The signup names the code; otherwise only a visit")
    proved = models.BooleanField(help_text="Named by your backend or a verified identity")
    proved_since = models.DateTimeField(
        null=True,
        help_text="Where it is proved who brought the person: payments from then on count",
    )
    inviter_signup_at = models.DateTimeField(
        null=True, help_text="Empty unless it counts as an invitation within 30 days of it"
    )
    is_accepted = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The referred person also signed up within 30 days of the inviter's signup",
    )

    class Meta:
        verbose_name = "referral"
        verbose_name_plural = "referred people"
        indexes = [
            models.Index(
                fields=["inviter_signup_at"],
                include=["is_accepted"],
                condition=models.Q(inviter_signup_at__isnull=False),
                name="referral_by_inviter_signup",
            )
        ]

    def __str__(self) -> str:
        return f"{self.distinct_id_id} with {self.code_id}"


class ReferralCheck(models.Model):
    """A person whose referral has to be derived again, noted by the transaction that changed it."""

    person_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"check of person {self.person_id}"
