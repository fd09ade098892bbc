"""Plans: which Stripe prices buy them, what they allow, what they contain."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from billing.models.meter import UsageMeter
from common.formatting import number

LARGEST_LIMIT = 10**15


class Plan(models.Model):
    """What a customer buys. Whoever pays for none has the default plan."""

    slug = models.SlugField(
        unique=True, help_text="How the API names it. Events and answers carry it: keep it."
    )
    name = models.CharField(max_length=60, help_text="As your customers read it")
    rank = models.PositiveSmallIntegerField(
        unique=True,
        help_text="A higher one is the better plan: upgrades are suggested upwards, and who pays"
        " for several has the highest",
    )
    is_default = models.BooleanField(
        "default", default=False, help_text="Of everybody who pays for no plan. There is one."
    )
    offered = models.BooleanField(
        default=True, help_text="Suggested as an upgrade; not so for plans that you sell no more"
    )
    emails = models.BooleanField(
        "e-mails",
        default=True,
        help_text="At 80 and 100 % of its limits people get an e-mail, once in each period",
    )
    features = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, help_text="One a line"
    )

    class Meta:
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="one_default_plan",
                violation_error_message="Another plan is the default already.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class PlanPrice(models.Model):
    """A Stripe price that buys a plan."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="prices")
    price_id = models.CharField(
        "Stripe price",
        max_length=255,
        unique=True,
        validators=[
            RegexValidator(r"^price_\w+$|^plan_\w+$", "A Stripe price id begins with price_.")
        ],
        help_text="Such as price_1Q2w3E. The first one is what an upgrade link sells.",
        error_messages={"unique": "Another plan has this price already."},
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
        help_text="In one period of the meter. 0: the plan does not have it at all. No limit:"
        " delete this one.",
    )
    hard = models.BooleanField(
        default=True,
        help_text="Requests beyond it are refused (402). A soft limit only warns.",
    )
    grace_percent = models.PositiveSmallIntegerField(
        "grace, in %",
        default=0,
        validators=[MaxValueValidator(1_000)],
        help_text="How far beyond a hard limit requests are still let through",
    )
    grace = models.PositiveBigIntegerField(
        "grace, as a number",
        default=0,
        validators=[MaxValueValidator(LARGEST_LIMIT)],
        help_text="The same as a number; the larger of the two holds",
    )

    class Meta:
        verbose_name = "limit"
        ordering = ["plan__rank", "meter__slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "meter"],
                name="one_limit_per_plan_and_meter",
                violation_error_message="This plan has a limit of this meter already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.plan}: {number(self.amount)} {self.meter}"

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        if not self.hard and self.grace:
            errors["grace"] = "A soft limit blocks nobody, so it needs no grace."
        if not self.hard and self.grace_percent:
            errors["grace_percent"] = "A soft limit blocks nobody, so it needs no grace."
        if errors:
            raise ValidationError(errors)
