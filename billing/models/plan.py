"""Plans: their Stripe prices, limits and features."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from billing.models.meter import UsageMeter
from common.formatting import number

LARGEST_LIMIT = 10**15


class Plan(models.Model):
    """What a customer buys. People without a paid plan have the default plan."""

    slug = models.SlugField(
        unique=True, help_text="Name in the API, in events and responses. Do not change it."
    )
    name = models.CharField(max_length=60, help_text="As shown to your customers")
    rank = models.PositiveSmallIntegerField(
        unique=True,
        help_text="Higher is better: upgrades are suggested upwards, and customers with several"
        " plans get the highest",
    )
    is_default = models.BooleanField(
        "default",
        default=False,
        help_text="The plan for everyone without a paid plan. There is exactly one.",
    )
    offered = models.BooleanField(
        default=True, help_text="Suggest it as an upgrade. Turn off for plans you no longer sell."
    )
    emails = models.BooleanField(
        "e-mails",
        default=True,
        help_text="E-mail people at 80 % and 100 % of a limit, once per period",
    )
    features = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, help_text="One per line"
    )

    class Meta:
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="one_default_plan",
                violation_error_message="Another plan is already the default.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class PlanPrice(models.Model):
    """A Stripe price of a plan."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="prices")
    price_id = models.CharField(
        "Stripe price",
        max_length=255,
        unique=True,
        validators=[
            RegexValidator(
                r"^(prod|sub|si|cus|in|cs)_\w{14,}$",
                "This is not the id of a price: copy it from the price's page at Stripe.",
                inverse_match=True,
            )
        ],
        help_text="For example price_1Q2w3E, or the id of an older plan such as gold-monthly."
        " Upgrade links sell the first price.",
        error_messages={"unique": "Another plan already has this price."},
    )

    class Meta:
        verbose_name = "Stripe price"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.price_id


class PlanLimit(models.Model):
    """How much of a meter a plan allows in one of the meter's periods."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="limits")
    meter = models.ForeignKey(UsageMeter, on_delete=models.CASCADE, related_name="limits")
    amount = models.PositiveBigIntegerField(
        "limit",
        validators=[MaxValueValidator(LARGEST_LIMIT)],
        help_text="Per period of the meter. 0: not included in the plan. For no limit, delete it.",
    )
    hard = models.BooleanField(
        default=True,
        help_text="Refuse requests over the limit (402). A soft limit only warns.",
    )
    grace_percent = models.PositiveSmallIntegerField(
        "grace, in %",
        default=0,
        validators=[MaxValueValidator(1_000)],
        help_text="How far over a hard limit requests are still allowed",
    )
    grace = models.PositiveBigIntegerField(
        "grace, as a number",
        default=0,
        validators=[MaxValueValidator(LARGEST_LIMIT)],
        help_text="The same as a number; the larger of the two applies",
    )

    class Meta:
        verbose_name = "limit"
        ordering = ["plan__rank", "meter__slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "meter"],
                name="one_limit_per_plan_and_meter",
                violation_error_message="This plan already has a limit on this meter.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan}: {number(self.amount)} {self.meter}"

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        if not self.hard and self.grace:
            errors["grace"] = "A soft limit never blocks, so it has no grace."
        if not self.hard and self.grace_percent:
            errors["grace_percent"] = "A soft limit never blocks, so it has no grace."
        if errors:
            raise ValidationError(errors)
