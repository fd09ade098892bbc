"""The history of scheduled jobs, and the heartbeats of long-running processes."""

from django.db import models


class JobRun(models.Model):
    """One run of a scheduled job."""

    class Outcome(models.TextChoices):
        RUNNING = "running"
        OK = "ok"
        FAILED = "failed"

    task_id = models.CharField(max_length=64, primary_key=True, help_text="The task's id in Celery")
    job = models.CharField(max_length=200, help_text="The name of the schedule")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=7, choices=Outcome.choices, default=Outcome.RUNNING)
    problem = models.TextField(blank=True, help_text="Why it failed")

    class Meta:
        verbose_name_plural = "job history"
        indexes = [
            models.Index(fields=["job", "-started_at"], name="job_run_by_job"),
            models.Index(fields=["started_at"], name="job_run_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.started_at:%Y-%m-%d %H:%M}"


class Heartbeat(models.Model):
    """The last sign of life of a process."""

    process = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.process} {self.at:%Y-%m-%d %H:%M}"
