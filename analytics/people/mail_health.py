"""Health check: whether e-mails to persons have reached a cap, which staff must hear of."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from analytics.people import mail_caps
from common.calculations.health import Component, Health
from common.formatting import counted, number

_NAME = "mail caps"


def caps(now: datetime) -> Iterator[Component]:
    is_hour_full, full = mail_caps.reached(now)
    if is_hour_full:
        cap = number(settings.PLUMBLINE_EMAILS_PER_HOUR)
        detail = f"The cap of {cap} e-mails an hour to persons is reached: the rest waits."
        remedy = (
            "See Usage notices in the admin. If strangers cause them, do not let a public key’s"
            " claimed addresses be mailed; else raise PLUMBLINE_EMAILS_PER_HOUR."
        )
        yield Component(_NAME, Health.WARNING, detail, remedy=remedy)
    elif full:
        cap = number(settings.PLUMBLINE_EMAILS_PER_ADDRESS)
        detail = f"{counted(full, 'address', 'addresses')} got {cap} e-mails within a day."
        remedy = "See Usage notices in the admin: further ones to the address are not sent."
        yield Component(_NAME, Health.WARNING, detail, remedy=remedy)
    else:
        yield Component(_NAME, Health.OK, "No cap on e-mails to persons is reached.")
