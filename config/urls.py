"""All URLs of Plumbline."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from common.admin.pages import ANY_STAFF, staff_page
from common.api.schema_view import SchemaView

admin.autodiscover()
docs = staff_page(ANY_STAFF)(require_safe(SpectacularSwaggerSplitView.as_view(url_name="schema")))

urlpatterns = [
    path("", include("analytics.urls")),
    path("", include("billing.urls")),
    path("", include("growth.urls")),
    path("", include("operational.urls")),
    path("", RedirectView.as_view(pattern_name="operational:dashboard")),
    path("admin/", RedirectView.as_view(pattern_name="operational:dashboard")),
    path("favicon.ico", RedirectView.as_view(url=static("plumbline/icon.svg")), name="favicon"),
    path("admin/passkeys/", include("django_otp_webauthn.urls", namespace="otp_webauthn")),
    path("admin/", admin.site.urls),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", docs, name="docs"),
]

handler400 = "common.api.problems.bad_request"
handler403 = "common.admin.pages.not_permitted"
handler404 = "common.api.problems.not_found"
handler500 = "common.api.problems.server_error"
