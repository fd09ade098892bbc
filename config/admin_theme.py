"""The look of the admin."""

from django.templatetags.static import static
from django.urls import reverse_lazy

from common.admin import sidebar

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
    "SCRIPTS": [
        lambda _: static("plumbline/admin.js"),
        lambda _: static("plumbline/alpine.js"),
    ],
    "COLORS": {"primary": _PRIMARY},
    "BORDER_RADIUS": "8px",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ACCOUNT": {
        "navigation": [
            {"title": "Second factor", "link": reverse_lazy("operational:second-factor")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "SIDEBAR": {
        "show_search": False,
        "navigation": sidebar.navigation,
    },
}
