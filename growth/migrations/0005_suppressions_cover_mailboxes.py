"""Hashes suppressed addresses so that a person's or staff's choice covers the mailbox.

Of erased persons only the hash is left: it stays as it is, and is still recognized for its address.
"""

from django.db import migrations
from django.utils import timezone

from common.calculations.mailbox import canonical, lower_ascii
from common.keyed_hash import hash_keys
from growth.calculations.mail.mail_events import SuppressionReason
from growth.suppression.suppressions import hashed_text

_SAME = "The same mailbox is suppressed under another spelling of its address"


def _cover_mailboxes(apps, schema_editor):
    _hash_again(apps, lambda row: hashed_text(row.address, SuppressionReason(row.reason)), canonical)


def _cover_addresses(apps, schema_editor):
    _hash_again(apps, lambda row: lower_ascii(row.address), lower_ascii)


def _hash_again(apps, text_of, written):
    suppression = apps.get_model("growth", "Suppression")
    key = hash_keys("suppressed-addresses")[0]
    for row in suppression.objects.exclude(address="").order_by("pk").iterator():
        digest = key.digest(text_of(row))
        same = suppression.objects.filter(hash=digest, topic=row.topic_id, reason=row.reason)
        if row.lifted_at is None and same.filter(lifted_at=None).exclude(pk=row.pk).exists():
            row.lifted_at, row.lifted_by, row.lift_reason = timezone.now(), "Plumbline", _SAME
        row.hash, row.key, row.address = digest, key.fingerprint, written(row.address)[:320]
        row.save()


class Migration(migrations.Migration):

    dependencies = [
        ('growth', '0004_store_which_referrals_count'),
    ]

    operations = [
        migrations.RunPython(_cover_mailboxes, _cover_addresses),
    ]
