"""The results of the data-quality checks, and which findings are accepted."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from common.data_quality import CheckVerdict

_VERDICTS = [(verdict.value, verdict.value.replace("_", " ")) for verdict in CheckVerdict]


class QualityRun(models.Model):
    """One run of all checks."""

    at = models.DateTimeField(db_index=True)
    score = models.PositiveSmallIntegerField(null=True, help_text="None: no data")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}: {'no data' if self.score is None else self.score}"


class QualityResult(models.Model):
    """The result of a check in a run."""

    run = models.ForeignKey(QualityRun, on_delete=models.CASCADE, related_name="results")
    check_slug = models.CharField(max_length=64)
    verdict = models.CharField(max_length=7, choices=_VERDICTS)
    affected = models.BigIntegerField(default=0)
    detail = models.TextField(blank=True)
    examples = models.JSONField(default=list, help_text="Text, page and argument of each")
    ignored = models.BooleanField(default=False)
    seconds = models.FloatField(help_text="Duration")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "check_slug"], name="one_result_per_check")
        ]

    def __str__(self) -> str:
        return f"{self.check_slug}: {self.verdict}"


class QualityIgnore(models.Model):
    """A finding that is accepted for a time; the score does not count it."""

    check_slug = models.CharField("check", max_length=64)
    reason = models.CharField(max_length=200)
    until = models.DateField(help_text="The last day on which it is ignored")
    most = models.PositiveBigIntegerField(
        "up to", null=True, blank=True, help_text="Counts again when more rows are affected"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL
    )

    class Meta:
        verbose_name = "ignored finding"

    def __str__(self) -> str:
        return f"{self.check_slug} until {self.until}"
