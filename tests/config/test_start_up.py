"""Commands import only what they need: everything together takes a second of CPU."""

import subprocess
import sys

import pytest

from tests.processes import ROOT, environment

HEAVY = {
    "analytics.admin",
    "apprise",
    "billing.admin",
    "config.urls",
    "devstack.services",  # for systems without fcntl, too: the tests have servers
    "drf_spectacular.openapi",
    "numpy",
    "operational.admin",
    "posthog",
    "prometheus_client",
    "rest_framework.views",
}

RUN = """
import runpy, sys
sys.argv = ["manage.py", "project_key", "--list"]
runpy.run_path("manage.py", run_name="__main__")
print(*sys.modules)
"""


def output_of(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.check_output(command, cwd=ROOT, env=environment(), text=True)


@pytest.mark.django_db(transaction=True)
def test_project_key_imports_no_heavy_module():
    assert HEAVY & set(output_of(RUN).split()) == set()


def test_the_checks_import_the_pages_of_the_admin():
    checked = """
import sys, django
django.setup()
from django.core.checks import run_checks
run_checks(tags=["admin"])
print(*sys.modules)
"""
    assert {"analytics.admin", "billing.admin", "operational.admin"} <= set(
        output_of(checked).split()
    )


def test_the_web_imports_its_pages_before_the_first_request():
    web = "import sys, config.wsgi; print(*sys.modules)"
    assert {"config.urls", "operational.admin"} <= set(output_of(web).split())
