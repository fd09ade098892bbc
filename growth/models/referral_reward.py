"""Rewards of inviters."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from analytics.models import DistinctId
from growth.calculations.reward import STATE_LABELS, Milestone, RewardState
from growth.models.referral import ReferralCode
from growth.models.referral_program import ReferralProgram


class ReferralReward(models.Model):
    """What an inviter gets for a referred person who reached a milestone, at most once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    program = models.ForeignKey(ReferralProgram, on_delete=models.PROTECT)
    code = models.ForeignKey(
        ReferralCode,
        on_delete=models.CASCADE,
        db_column="code",
        db_constraint=False,  # the migration makes one that cascades
        related_name="rewards",
    )
    referred = models.ForeignKey(
        DistinctId,
        on_delete=models.CASCADE,
        db_column="referred",
        db_constraint=False,  # the same
        related_name="+",
    )
    milestone = models.CharField(
        max_length=10, choices=[(milestone.value, milestone.value) for milestone in Milestone]
    )
    state = models.CharField(
        max_length=10, choices=[(state.value, label) for state, label in STATE_LABELS.items()]
    )
    paid_at = models.DateTimeField(help_text="When Stripe received the first payment")
    held_until = models.DateTimeField()
    signals = ArrayField(models.CharField(max_length=20), default=list)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    decided_by = models.TextField(blank=True, help_text="The staff user who released or refused it")
    reason = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "referral reward"
        constraints = [
            models.UniqueConstraint(
                fields=["program", "referred", "milestone"], name="referral_reward_paid_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state=RewardState.DUE.value),
                name="referral_reward_due",
            ),
            models.Index(
                fields=["held_until"],
                condition=models.Q(state=RewardState.HELD.value),
                name="referral_reward_held",
            ),
        ]

    def __str__(self) -> str:
        return f"reward {self.pk}"
