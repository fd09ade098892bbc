"""The Message-ID of an e-mail: the same if it is sent again, so that servers drop the second."""

from django.conf import settings

from common.keyed_uuid import keyed_uuid


def message_id(*key: str) -> str:
    domain = settings.PLUMBLINE_EMAIL_FROM.rpartition("@")[2].rstrip(">") or "localhost"
    return f"<{keyed_uuid(*key)}@{domain}>"
