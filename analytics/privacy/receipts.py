"""What others still hold about persons, and the calls by which to ask them for erasure."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings

from analytics.extension_points import elsewhere
from analytics.privacy.traces import Traces


@dataclass(frozen=True, slots=True)
class ElsewhereCall:
    """A request that erases a person at a third party; `call` is method and address."""

    holder: str
    call: str
    note: str = ""


def calls_elsewhere(traces: Traces) -> Iterator[ElsewhereCall]:
    """Yield a call for everything that third parties were sent about the persons."""
    if settings.PLUMBLINE_FORWARDING:
        host = settings.POSTHOG_HOST.replace(".i.posthog.com", ".posthog.com")
        project = settings.POSTHOG_PROJECT_ID or ":project_id"
        for distinct_id in traces.own_ids:
            yield ElsewhereCall(
                "PostHog",
                f"DELETE {host}/api/projects/{project}/persons/"
                f"?distinct_id={quote(distinct_id, safe='')}&delete_events=true",
                "With a personal API key that has the scope person:write.",
            )
    for calls_of in elsewhere:
        yield from calls_of(traces.person_ids)
    if settings.PLUMBLINE_EMAIL_FROM and traces.claims.emails:
        yield ElsewhereCall(
            "E-mail provider",
            "",
            "Delete the addresses from its logs and suppression lists: "
            + ", ".join(sorted(traces.claims.emails)),
        )
