"""Every command in the documentation runs."""

import re
import shutil
from typing import Any

import pytest
from django.contrib.auth.models import User

from analytics.capture.capture import ensure_default_project_key
from analytics.ingestion.inbox import Inbox
from analytics.models import Event
from billing.api.stripe_webhook import WEBHOOK_ID
from billing.calculations.stripe_event import NAMES
from billing.limits.plans import create_defaults
from billing.models import Plan, PlanPrice
from billing.stripe import sync
from tests.billing.stripe_shop import Shop, create_person
from tests.docs.forked_commands import run_shell
from tests.growth.referrals.referring import create_program
from tests.processes import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")])

pytestmark = pytest.mark.django_db(transaction=True)


def blocks(language):
    """Return each block of a language in the documentation, with the page it stands on."""
    return [
        pytest.param(code, id=f"{page.name}: {code.splitlines()[0][:40]}")
        for page in PAGES
        for code in re.findall(
            rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL
        )
    ]


@pytest.fixture
def shop(stripe_account, settings):
    """An administrator, a Stripe account that sells the plan Pro, and a person to buy it."""
    settings.PLUMBLINE_EMAIL_FROM, settings.ADMIN_EMAIL = "p@example.com", ["ada@example.com"]
    User.objects.create_superuser("admin")
    create_defaults()
    shop = Shop(stripe_account)
    create_person("ada@example.com")
    create_program()
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id=shop.price)
    return shop


@pytest.mark.parametrize("code", blocks("sh"))
def test_a_shell_block_runs_without_an_error(code, live_server, tmp_path, shop):
    if "change-plan" in code:  # what is bought before on that page
        shop.subscribes(shop.customer("ada@example.com"))
        sync.sync()
    if "curl" in code and not shutil.which("curl"):
        pytest.skip("curl is not installed")
    code = code.replace("http://localhost:8000", live_server.url).replace("curl -sS", "curl -sSf")
    if "make " in code:  # that the targets work is what everything else here shows
        code = re.sub(r"^.*make ", f"make -C {ROOT} -n ", code, flags=re.MULTILINE)
    completed = run_shell(code, tmp_path)
    assert completed.status == 0, completed.output


@pytest.mark.parametrize("code", ["python manage.py kpi", "python manage.py kpis; false"])
def test_a_command_that_fails_fails_its_block(code, tmp_path):
    assert run_shell(code, tmp_path).status != 0


def test_the_events_to_choose_at_stripe_are_those_that_are_applied():
    page = (ROOT / "docs" / "billing.md").read_text()
    rows = re.findall(r"^\| `([a-z_.]+)` \| `([a-z_]+)` \|$", page, re.MULTILINE)
    assert dict(rows) == NAMES


def test_the_webhook_s_address_is_the_one_that_is_answered():
    for page in ("docs/billing.md", "README.md"):
        assert f"/api/billing/stripe/webhook/{WEBHOOK_ID}/" in (ROOT / page).read_text()


# Code that signs distinct ids runs in tests/analytics/capture/test_identity_secret.py.
SENDING = [block for block in blocks("python") if "Posthog(" in block.values[0]]


@pytest.mark.parametrize("code", SENDING)
def test_a_python_block_delivers_its_events(code, live_server):
    code = code.replace("<the capture key>", ensure_default_project_key().token)
    names: dict[str, Any] = {}
    exec(code.replace("http://localhost:8000", live_server.url), names)
    names["posthog"].shutdown()
    Inbox().process_batch()
    assert Event.objects.exists()
