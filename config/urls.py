"""All URLs of Plumbline."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

admin.autodiscover()

urlpatterns = [
    path("", include("analytics.urls")),
    path("", include("billing.urls")),
    path("", include("operational.urls")),
    path("", RedirectView.as_view(pattern_name="operational:dashboard")),
    path("admin/", RedirectView.as_view(pattern_name="operational:dashboard")),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]

handler400 = "common.api.problems.bad_request"
handler404 = "common.api.problems.not_found"
handler500 = "common.api.problems.server_error"
