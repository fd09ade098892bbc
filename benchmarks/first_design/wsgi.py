"""WSGI entry point."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.first_design.settings"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
