"""What marketing e-mails are about: people choose among topics."""

from django.db import models
from django.db.models.functions import Now


class MailTopic(models.Model):
    """A kind of marketing e-mail that people can unsubscribe from alone."""

    slug = models.SlugField(unique=True, help_text="Names it in the API and in imports")
    name = models.CharField(max_length=100, help_text="Shown to people on the preferences page")
    description = models.CharField(
        max_length=300, blank=True, help_text="What it is about and how often it comes"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "e-mail topic"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name
