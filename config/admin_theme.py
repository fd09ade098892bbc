"""The look of the admin, and its sidebar."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse, reverse_lazy

_PRIMARY = {  # a calm petrol; white text on 600 and 500 on the dark background are readable
    "50": "oklch(97.5% .012 225)",
    "100": "oklch(94.5% .026 225)",
    "200": "oklch(89.5% .05 225)",
    "300": "oklch(82% .08 226)",
    "400": "oklch(74% .105 228)",
    "500": "oklch(67% .115 230)",
    "600": "oklch(50% .105 232)",
    "700": "oklch(44% .092 233)",
    "800": "oklch(38.5% .076 234)",
    "900": "oklch(33.5% .06 235)",
    "950": "oklch(25% .045 236)",
}


def _link(title: str, icon: str, page: str, *, permission: str = "") -> dict[str, Any]:
    """Return a sidebar link, seen by staff with the permission, active on and below its page."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(page),
        "permission": (lambda request: request.user.has_perm(permission)) if permission else None,
    }


def _rows(title: str, icon: str, model: str) -> dict[str, Any]:
    """Return a sidebar link to the list of a model, such as ``analytics.person``."""
    app, name = model.split(".")
    return _link(title, icon, f"admin:{app}_{name}_changelist", permission=f"{app}.view_{name}")


_DASHBOARD = _link("Dashboard", "speed", "operational:dashboard") | {
    # Its address begins those of its neighbours.
    "active": lambda request: (
        request.path == reverse("operational:dashboard")
        or "/admin/operational/kpis/" in request.path
    )
}

UNFOLD = {
    "SITE_TITLE": "Plumbline",
    "SITE_HEADER": "Plumbline",
    "SITE_SUBHEADER": "Is the company on course?",
    "SITE_URL": None,
    "SITE_ICON": lambda _: static("plumbline/icon.svg"),
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _: static("plumbline/icon.svg"),
        }
    ],
    "STYLES": [
        lambda _: static("plumbline/admin.css"),
        lambda _: static("plumbline/pages.css"),
    ],
    "SCRIPTS": [lambda _: static("plumbline/admin.js")],
    "COLORS": {"primary": _PRIMARY},
    "BORDER_RADIUS": "8px",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SIDEBAR": {
        "show_search": False,
        "navigation": [
            {
                "items": [
                    _DASHBOARD,
                    _link("Priority actions", "checklist", "operational:actions"),
                    _link("Alerts", "notifications", "operational:alerts"),
                    _link("Reports", "summarize", "operational:reports"),
                    _link("Data quality", "fact_check", "operational:data-quality"),
                    _rows("Goals", "flag", "operational.kpigoal"),
                    _rows("KPI readings", "history", "operational.kpireading"),
                ],
            },
            {
                "title": "Analytics",
                "separator": True,
                "items": [
                    _link("Retention", "replay", "analytics:retention-page"),
                    _link("Active users", "monitoring", "analytics:active-users-page"),
                    _link("Activation", "bolt", "analytics:activation-page"),
                    _link("Funnel", "filter_alt", "analytics:funnel-page"),
                    _link("Events", "list", "analytics:events-page"),
                ],
            },
            {
                "title": "People",
                "separator": True,
                "items": [
                    _rows("Persons", "groups", "analytics.person"),
                    _rows("Merge journal", "merge", "analytics.personmerge"),
                    _rows("Exclusion rules", "person_off", "analytics.exclusionrule"),
                    _rows("Customer groups", "domain", "analytics.group"),
                ],
            },
            {
                "title": "Billing",
                "separator": True,
                "items": [
                    _link(
                        "Revenue",
                        "payments",
                        "billing:revenue-page",
                        permission="billing.view_mrrmovement",
                    ),
                    _rows("MRR movements", "swap_vert", "billing.mrrmovement"),
                    _rows("Cash", "account_balance", "billing.cashentry"),
                    _rows("Held objects", "report", "billing.heldobject"),
                    _rows("Stripe events", "webhook", "billing.stripeevent"),
                    _rows("Stripe customers", "badge", "billing.stripecustomer"),
                    _rows("Exchange rates", "currency_exchange", "billing.fxrate"),
                    _rows("Revenue settings", "tune", "billing.revenuesettings"),
                    _rows("Plans", "sell", "billing.plan"),
                    _rows("Limits", "data_usage", "billing.planlimit"),
                    _rows("Usage meters", "speed", "billing.usagemeter"),
                    _rows("Exceptions", "card_giftcard", "billing.limitexception"),
                    _rows("Usage notices", "mail", "billing.usagenotice"),
                ],
            },
            {
                "title": "Capture",
                "separator": True,
                "items": [
                    _link("Ingestion", "receipt_long", "analytics:ingestion-page"),
                    _link("Capture health", "monitor_heart", "analytics:capture-health-page"),
                    _rows("Project keys", "vpn_key", "analytics.projectkey"),
                    _rows("Inbox", "inbox", "analytics.inboxrequest"),
                    _rows("Rejected events", "block", "analytics.rejectedevent"),
                    _rows("Ignored findings", "visibility_off", "operational.qualityignore"),
                    _rows("Imports", "upload_file", "analytics.importrun"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _rows("Users", "person", "auth.user"),
                    _rows("Groups", "group", "auth.group"),
                    _rows("API tokens", "key", "knox.authtoken"),
                    _rows("Login attempts", "lock", "axes.accessattempt"),
                ],
            },
            {
                "title": "Background work",
                "separator": True,
                "items": [
                    _link("System health", "health_and_safety", "operational:system-health"),
                    _rows("Deliveries", "outgoing_mail", "operational.delivery"),
                    _rows("Report subscribers", "mark_email_read", "operational.reportsubscriber"),
                    _rows("Alert channels", "campaign", "operational.alertchannel"),
                    _rows("Schedules", "schedule", "django_celery_beat.periodictask"),
                    _rows("Job history", "work_history", "operational.jobrun"),
                ],
            },
        ],
    },
}
