"""Which opens and clicks come from machines: proxies of mail services, and scanners of links.

They are recorded and flagged, and never mean that a person did something.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from growth.calculations.mail.mail_events import MailEventKind

AFTER_DELIVERY = timedelta(seconds=5)  # too quick for a person
AT_ONCE = timedelta(seconds=5)
MANY_LINKS = 3  # different links of a mail, followed at once

# Proxies that fetch images ahead of the reader, scanners of links, and libraries of programs.
_MACHINES = re.compile(
    r"googleimageproxy|ggpht\.com|yahoomailproxy|yahoocachesystem"
    r"|barracuda|mimecast|proofpoint|urldefense|symantec|messagelabs|trendmicro|forcepoint"
    r"|safelinks|existence discovery|cloudmark|fireeye|sophos|ironport"
    r"|\bbot\b|[a-z]bot\b|crawler|spider|headless|phantomjs|selenium"
    r"|python|curl/|wget/|go-http-client|okhttp|java/|libwww|axios|node-fetch|aiohttp",
    re.IGNORECASE,
)
_MAIL_PRIVACY = "Mozilla/5.0"  # all that Apple's Mail Privacy Protection says


@dataclass(frozen=True, slots=True)
class Interaction:
    """A delivery, open or click of one message to one address."""

    kind: MailEventKind
    at: datetime
    user_agent: str = ""
    link: str = ""


def machine_flags(events: Sequence[Interaction]) -> list[bool]:
    """Return for each event of a message, in any order, whether a machine opened or clicked."""
    deliveries = [event.at for event in events if event.kind is MailEventKind.DELIVERED]
    delivered = min(deliveries, default=None)
    clicks = [event for event in events if event.kind is MailEventKind.CLICKED]
    return [
        event.kind in {MailEventKind.OPENED, MailEventKind.CLICKED}
        and (
            is_machine(event.user_agent)
            or (delivered is not None and event.at <= delivered + AFTER_DELIVERY)
            or (event.kind is MailEventKind.CLICKED and _is_one_of_many(event, clicks))
        )
        for event in events
    ]


def is_machine(user_agent: str) -> bool:
    """Whether a user agent names a proxy, a scanner or a program."""
    name = user_agent.strip()
    return name == _MAIL_PRIVACY or bool(_MACHINES.search(name))


def _is_one_of_many(click: Interaction, clicks: Sequence[Interaction]) -> bool:
    """Whether many links were followed within a few seconds, this one among them."""
    near = sorted((other.at, other.link) for other in clicks if abs(other.at - click.at) <= AT_ONCE)
    return any(
        start <= click.at <= start + AT_ONCE
        and len({link for at, link in near if start <= at <= start + AT_ONCE}) >= MANY_LINKS
        for start, _ in near
    )
