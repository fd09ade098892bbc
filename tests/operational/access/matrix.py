"""Who may do what: every URL, classified by hand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

# Each level may do what those before it may. "none": the URL changes nothing for any caller.
LEVELS = ["public", "user", "staff", "viewer", "analyst", "operator", "owner", "none"]

# Who may read and who may change at these URLs. `app.model` are the admin's pages of a model.
MATRIX = {
    ("public", "public"): """
        /admin/login/ /reports/unsubscribe/<token>/ /mail/preferences/<token>/
        /billing/checkout/<token>/
        /api/billing/stripe/webhook/<endpoint_id>/ /mail/webhooks/<provider>/""",
    ("public", "none"): """
        / /admin/ /admin/logout/ /favicon.ico /livez /readyz /admin/passkeys/jsi18n/
        /billing/checkout/done/ /billing/checkout/canceled/""",
    ("user", "user"): """
        /admin/second-factor/verify/
        /admin/passkeys/registration/begin/ /admin/passkeys/registration/complete/
        /admin/passkeys/authentication/begin/ /admin/passkeys/authentication/complete/""",
    ("staff", "staff"): """
        /admin/<app_label>/ /admin/<url> /admin/password_change/
        /admin/password_change/done/ /admin/jsi18n/ /admin/search/ /admin/autocomplete/
        /admin/second-factor/ /admin/second-factor/start-app/ /admin/second-factor/confirm-app/
        /admin/second-factor/remove/ /admin/second-factor/codes/ /admin/second-factor/add/
        /admin/r/<content_type_id>/<object_id>/ /api/docs/ /api/schema/""",
    ("viewer", "none"): """
        /admin/operational/ /admin/operational/now/ /admin/operational/kpis/<slug>/
        /admin/operational/reports/ /admin/operational/reports/<pk>/
        /admin/operational/reports/preview/<kind>/ /admin/operational/data-quality/
        /admin/operational/system-health/ /admin/operational/actions/ /admin/operational/alerts/
        /admin/analytics/retention/ /admin/analytics/active-users/ /admin/analytics/activation/
        /admin/analytics/funnel/ /admin/analytics/ingestion/ /admin/analytics/capture-health/
        /admin/billing/revenue/ /admin/billing/revenue/movements.csv
        /api/analytics/retention/ /api/analytics/retention/weekly/ /api/analytics/active-users/
        /api/analytics/activation/ /api/analytics/funnel/ /api/analytics/ingestion/
        /api/billing/revenue/mrr/ /api/billing/revenue/movements/ /api/billing/revenue/churn/
        /api/billing/revenue/ltv/ /api/billing/revenue/cohorts/
        /api/operational/alignment-score/ /api/operational/kpi-status/
        /api/operational/real-time-metrics/ /api/operational/system-health/
        /api/operational/priority-actions/ /api/operational/kpi-alerts/
        /api/operational/data-quality/ /api/operational/daily-report/
        /api/operational/weekly-report/ /metrics/
        analytics.importrun billing.mrrmovement billing.cashentry billing.heldobject
        operational.jobrun operational.kpireading""",
    ("viewer", "operator"): """
        /admin/growth/acquisition/ /admin/growth/spend/add/ /api/growth/spend/
        growth.channelalias growth.spendday
        /admin/operational/actions/<pk>/ /admin/operational/alerts/<pk>/
        billing.fxrate billing.revenuesettings billing.planlimit billing.usagemeter billing.plan
        growth.mailtopic operational.kpigoal operational.qualityignore""",
    ("analyst", "none"): """
        /admin/growth/referrals/ growth.referral growth.referralcode growth.referralreward
        /admin/analytics/events/ /admin/billing/persons/<person_id>/usage/
        /api/analytics/events/ /api/analytics/persons/
        /api/billing/usage/ /api/billing/stripe/subscription/ /api/billing/stripe/invoices/
        analytics.exclusion analytics.group analytics.person analytics.personmerge
        billing.usagenotice growth.mailevent /admin/growth/suppressions/export.csv""",
    ("analyst", "operator"): """
        /admin/growth/rewards/<reward_id>/ /api/growth/referrals/codes/
        /api/growth/retention/suppressions/ growth.suppression
        analytics.exclusionrule analytics.rejectedevent billing.limitexception
        billing.stripecustomer billing.stripeevent /admin/billing/unlinked-customers/""",
    ("operator", "operator"): """
        /admin/operational/actions/refresh/ /admin/operational/actions/<pk>/finish/
        /admin/operational/actions/<pk>/dismiss/ /admin/operational/alerts/check/
        /admin/operational/alerts/test/ /admin/operational/alerts/<pk>/acknowledge/
        /admin/operational/alerts/<pk>/silence/ /admin/operational/data-quality/run/
        /admin/operational/data-quality/repair/<slug>/ /admin/operational/reports/test/<kind>/
        /admin/operational/reports/send/<kind>/ /admin/operational/kpis/<slug>/try-goal/
        /admin/analytics/person/<pk>/merge/ /admin/analytics/person/<pk>/exclusion/
        /api/billing/usage/check/ /api/billing/usage/reservations/<reservation_id>/
        /api/billing/stripe/checkout-session/ /api/billing/stripe/portal-session/
        /api/billing/stripe/change-plan/ /api/billing/stripe/cancel/ /api/billing/stripe/resume/
        /api/operational/send-daily-report/ /api/operational/send-weekly-report/
        django_celery_beat.clockedschedule django_celery_beat.crontabschedule
        django_celery_beat.intervalschedule django_celery_beat.periodictask
        /api/growth/referrals/ /api/growth/retention/suppressions/<pk>/lift/
        /admin/growth/suppressions/import/ /admin/growth/suppressions/<pk>/lift/
        growth.referralprogram operational.alertchannel operational.reportsubscriber""",
    ("operator", "none"): "analytics.inboxrequest operational.delivery",
    ("operator", "owner"): "analytics.projectkey",
    ("analyst", "owner"): "/api/analytics/persons/<distinct_id>",
    ("owner", "owner"): """
        /admin/operational/demo/remove/ /admin/auth/user/<id>/password/ auth.group auth.user
        analytics.erasure
        /admin/analytics/identity-secret/ /admin/analytics/erasure/allow/
        /admin/analytics/person/<pk>/erase/
        /admin/analytics/person/<pk>/export/ /api/analytics/persons/<distinct_id>/export/
        operational.apitoken operational.loginlimit""",
}

CLASSIFIED = {name: levels for levels, names in MATRIX.items() for name in names.split()}

_MODEL_PAGE = re.compile(
    r"/admin/(\w+)/(\w+)/(?:(add)/|<object_id>/(?:(history|delete|change)/)?)?"
)


@dataclass(frozen=True, slots=True)
class Route:
    """A URL of the resolver, such as `/admin/analytics/person/<object_id>/change/`."""

    path: str

    @property
    def model(self) -> str:
        """The model of an admin page, such as "analytics.person", or ""."""
        page = _MODEL_PAGE.fullmatch(self.path)
        return f"{page[1]}.{page[2]}" if page and self.path not in CLASSIFIED else ""

    @property
    def levels(self) -> tuple[str, str]:
        """Who may read and who may change; KeyError: the URL is not classified."""
        reads, changes = CLASSIFIED[self.model or self.path]
        only_for_changes = self.model and self.path.endswith(("/add/", "/delete/"))
        return (changes, changes) if only_for_changes else (reads, changes)

    @property
    def supported(self) -> set[str]:
        """The methods that work for all who may use them: models restrict more."""
        if self.path == "/admin/autocomplete/":
            return set()  # it needs parameters
        if not self.model:
            return {"GET", "POST"}
        return set() if self.path.endswith(("/add/", "/delete/")) else {"GET"}


def routes() -> list[Route]:
    """Return every URL of the resolver, once."""
    return [Route(path) for path in dict.fromkeys(_paths(get_resolver()))]


def _paths(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield re.sub(r"<\w+:(\w+)>", r"<\1>", simplify_regex(path))
        else:
            yield from _paths(entry, path)
