"""What a company offers for inviting people."""

import secrets

from django.core.validators import MaxValueValidator, URLValidator
from django.db import models
from django.db.models.functions import Now

from growth.calculations.reward import KIND_LABELS, RewardKind

_is_web_address = URLValidator(["http", "https"])


def new_salt() -> str:
    return secrets.token_hex(16)


class ReferralProgram(models.Model):
    """Where links lead, and what an inviter gets once the referred person has paid."""

    slug = models.SlugField(unique=True, help_text="Names it in the API and in webhooks")
    name = models.CharField(max_length=100)
    signup_url = models.CharField(
        "sign-up page",
        max_length=500,
        validators=[_is_web_address],
        help_text="Links lead here with ?ref= and the code, such as https://example.com/signup",
    )
    reward = models.CharField(
        max_length=10,
        choices=[(kind.value, label) for kind, label in KIND_LABELS.items()],
        default=RewardKind.NONE.value,
    )
    webhook_url = models.CharField(
        "webhook",
        max_length=500,
        blank=True,
        validators=[_is_web_address],
        help_text="Gets a signed POST for each reward that is due",
    )
    coupon = models.CharField(
        "Stripe coupon",
        max_length=255,
        blank=True,
        help_text="Id of the coupon for the inviter's subscription, best one that applies once",
    )
    hold_days = models.PositiveSmallIntegerField(
        default=14,
        validators=[MaxValueValidator(365)],
        help_text="Days after the payment in which a refund takes the reward back",
    )
    cap = models.PositiveIntegerField(
        "rewards per inviter",
        null=True,
        blank=True,
        default=20,
        help_text="Further ones are refused. Empty: no limit",
    )
    salt = models.CharField(max_length=32, default=new_salt, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "referral program"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(reward=RewardKind.WEBHOOK.value, webhook_url=""),
                name="webhook_reward_has_an_address",
                violation_error_message="Enter the webhook that gets the rewards.",
            ),
            models.CheckConstraint(
                condition=~models.Q(reward=RewardKind.COUPON.value, coupon=""),
                name="coupon_reward_names_a_coupon",
                violation_error_message="Enter the coupon that inviters get.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
