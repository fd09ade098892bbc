"""Alert channels: addresses of services that Apprise reaches through the guard of `outgoing`."""

import logging
import sys
from contextvars import ContextVar
from functools import partial
from types import ModuleType
from typing import Any

import apprise
import requests

from common.outgoing import NOTHING_SENT, GuardedSession
from operational.messages import channel_options

logger = logging.getLogger(__name__)

# Apprise's services that send by the functions of `requests` alone; those with `s` use TLS.
SCHEMES = frozenset(
    """
    discord gchat matrix matrixs mmost mmosts nctalk nctalks rocket rockets signal signals slack
    tgram webex workflow workflows wxteams zulip
    gotify gotifys ntfy ntfys pbul pover
    betterstack goalert goalerts ilert incidentio opsgenie pagerduty spike splunk squadcast
    victorops
    twilio vonage
    form forms json jsons xml xmls
    """.split()
)
_current: ContextVar[GuardedSession] = ContextVar("session of the message that is being sent")


class InvalidAddress(ValueError):
    """An address that no message may be sent to, and why."""


class NotSent(Exception):
    """A message could not be sent, and the reason."""


def check(url: str) -> None:
    """Raise `InvalidAddress` unless messages may be sent to the address; sends none."""
    if refused := channel_options.refused(url):
        raise InvalidAddress(
            f"Remove {', '.join(refused)} from the address: only options that choose what is sent,"
            " and to whom, are allowed."
        )
    with GuardedSession(connects=False) as session:
        _notify(service(url), session, "Check", "Check")
    if session.problem:
        raise InvalidAddress(session.problem)


def send(url: str, title: str, body: str) -> None:
    """Send a message, or raise `NotSent`; takes `outgoing.SECONDS` and little more at most."""
    try:
        instance = service(url)
    except InvalidAddress as error:
        raise NotSent(str(error)) from error
    with GuardedSession() as session:
        was_sent = _notify(instance, session, title, body)
    if not was_sent or session.problem == NOTHING_SENT:
        raise NotSent(session.problem or "The service did not accept the message.")


def service_name(url: str) -> str:
    try:
        return str(service(url).service_name)
    except InvalidAddress:
        return "unknown"


def service(url: str) -> apprise.NotifyBase:
    """Return Apprise's service for an address, or raise `InvalidAddress`.

    Options that are not allowed have no effect: an address may be stored from before they were
    refused.
    """
    allowed = channel_options.without_refused(url)
    details = apprise.plugins.url_to_dict(allowed)  # type: ignore[no-untyped-call]
    if details and details["schema"] not in SCHEMES:
        raise InvalidAddress(
            f"Plumbline does not send to {details['schema']}:// addresses; see docs/alerts.md for"
            " those it sends to."
        )
    instance = apprise.Apprise.instantiate(details) if details else None
    if instance is None:
        raise InvalidAddress("This is not a valid Apprise URL.")
    return instance


def _notify(instance: apprise.NotifyBase, session: GuardedSession, title: str, body: str) -> bool:
    vars(sys.modules[type(instance).__module__])["requests"] = _guarded_requests
    vars(instance)["throttle"] = _do_not_wait
    token = _current.set(session)
    try:
        return bool(
            instance.notify(
                title=title,
                body=body,
                body_format=apprise.NotifyFormat.TEXT,
                # Opsgenie opens an alert for warnings, and sends nothing for information.
                notify_type=apprise.NotifyType.WARNING,
            )
        )
    except Exception as error:  # noqa: BLE001  services stumble over unexpected responses
        logger.warning("An alert channel's service failed: %s", type(error).__name__)
        return False
    finally:
        _current.reset(token)


def _do_not_wait(*_: Any, **__: Any) -> None:
    """Do not let a service's response decide how long a worker sleeps; deliveries are retried."""


def _request(method: str, url: str, **options: Any) -> requests.Response:
    return _current.get().request(method, url, **options)


# What the modules of Apprise's services see in place of `requests`.
_guarded_requests = ModuleType("requests")
vars(_guarded_requests).update(
    {name: value for name, value in vars(requests).items() if not name.startswith("_")},
    request=_request,
    Session=_current.get,
    session=_current.get,
    **{
        method: partial(_request, method)
        for method in ("delete", "get", "head", "options", "patch", "post", "put")
    },
)
