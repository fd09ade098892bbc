"""Accept capture requests: an answer is given once the request is committed to the inbox."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from analytics.calculations import wire
from analytics.calculations.wire import Refused
from analytics.ingest import record_rejections
from analytics.models import InboxRequest, ProjectKey

DEFAULT_KEY_NAME = "Default"


class UnknownKey(ValueError):
    """The request names no project key that is in use."""


def accept(body: bytes, *, content_type: str, received_at: datetime) -> None:
    """Commit a request to the inbox.

    Raise `Refused` where it holds no usable event (its events then stand among the rejected ones),
    `UnknownKey`, or `TooLarge`.
    """
    plain = wire.decode_body(body, content_type=content_type)
    parsed = wire.parse(plain, received_at=received_at)
    key = ProjectKey.objects.filter(token=parsed.token, revoked_at=None).first()
    if key is None:
        raise UnknownKey
    if parsed.events:
        InboxRequest.objects.create(project_key=key, received_at=received_at, body=plain)
    elif parsed.rejections:
        record_rejections(parsed.rejections, project_key_id=key.pk)
        raise Refused(parsed.rejections[0].reason, parsed.rejections[0].detail)


@transaction.atomic
def default_project_key() -> ProjectKey:
    """Return the key that a new installation starts with, making it where it is missing."""
    key, _ = ProjectKey.objects.get_or_create(name=DEFAULT_KEY_NAME)
    return key


def revoke(keys: QuerySet[ProjectKey], *, now: datetime) -> int:
    """Refuse events with these keys from now on, and return how many of them were in use."""
    return keys.filter(revoked_at=None).update(revoked_at=now)
