"""WSGI entry point."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.first_design.settings"

from django.core.wsgi import get_wsgi_application  # noqa: E402  (reads the settings)

application = get_wsgi_application()
