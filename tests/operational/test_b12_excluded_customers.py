"""B12: an excluded person's customer is in no list, sum, held amount, refund, alert or report."""

import ast
import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.test import Client

from analytics.ingestion import ingest
from analytics.models import DistinctId, Person
from analytics.people import exclusions
from billing.models import CashEntry, HeldObject, MrrMovement, RevenueCustomer
from billing.revenue import ledger
from billing.stripe import customers, loading
from common import queueing
from operational.actions import priority_actions
from operational.health import servers
from tests.billing.stripe_json import item, price, subscription
from tests.events import record
from tests.operational.kpi_data import NOW, a_filled_project
from tests.operational.readers import addresses, everything

pytestmark = pytest.mark.django_db

TESTER = "tester77"  # in every id of the excluded person's objects
AMOUNT = 98_765_400

CHIP = '<span class="pl-chip">Excluded</span>'
# Readers that show what is stored, excluded or not, and how they mark what is excluded.
MARKED = {
    "/admin/analytics/exclusion/": "data-row",  # the list of exclusions
    "/admin/analytics/person/": "Excluded by hand",
    "/api/analytics/persons/": '"excluded":true',
    "/admin/billing/stripecustomer/": CHIP,
    "/admin/billing/stripeevent/": CHIP,
    "check rollups": "sample of 2 persons",  # it checks that excluded ones are in no roll-up
}

# Who reads rows of the ledgers without the rule, and why.
UNFILTERED = {
    "billing/models/revenue_customer.py": "the rule itself",
    "billing/revenue/cash.py": "writes the ledger",
    "billing/revenue/ledger.py": "writes the ledger",
    "billing/revenue/ledger_writing.py": "writes the ledger",
    "billing/revenue/ledger_check.py": "checks that the days of each customer follow",
    "billing/stripe/erasure.py": "about a single person",
    "billing/stripe/export.py": "about a single person",
    "billing/stripe/loading.py": "about the lines of a file",
    "growth/referrals/funnel.py": "about people, without the excluded ones",
    "growth/referrals/rewards.py": "about people, without the excluded ones",
}
LEDGERS = "MrrMovement|CashEntry|HeldObject|RevenueCustomer|SubscriptionStart"
ROWS = re.compile(rf"\b(?:{LEDGERS})\.objects\b(?!\.(?:counted|marked)\(\))|\bmodel\.objects\b")
TABLE = re.compile(rf"billing_(?:{LEDGERS.lower()})\b")


@pytest.fixture(autouse=True)
def company(time_machine, monkeypatch, settings):
    """A company with a customer that counts, so that no page is an empty one."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    time_machine.move_to(NOW, tick=False)
    monkeypatch.setattr(queueing, "enqueue", lambda *_, **__: None)
    # What changes between two reads for other reasons: this machine's clock and disk.
    monkeypatch.setattr(servers, "CLOCK_WARNING", timedelta.max)
    disk = shutil.disk_usage(settings.BASE_DIR)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk)
    a_filled_project()
    return bills("ada", 5000)


@pytest.fixture
def staff():
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("root"))
    return client


def bills(name, amount, *, excluded=False):
    """Add a person with two customers: one pays and has objects of every kind, one left."""
    ingest.store(
        [record(distinct_id=name, timestamp=NOW - timedelta(days=days)) for days in (1, 50)]
    )
    person = DistinctId.objects.get(pk=name).person
    if excluded:
        exclusions.decide([person.pk], excluded=True, by="root")
    for customer in (f"cus_{name}", f"cus_{name}_gone"):
        customers.link_by_hand(customer, name)
    loading.load(map(json.dumps, [*paying(name, amount), *leaving(name, amount)]))
    return Person.objects.get(pk=person.pk)


def paying(name, amount):
    """Return a customer with MRR at risk, scheduled to end or held, and cash in and out."""
    now, customer = int(NOW.timestamp()), f"cus_{name}"
    own = {"customer": customer, "currency": "usd", "created": now - 7200}
    yield own | {"id": customer, "object": "customer"}
    yield sub(name, 1, amount, status="past_due", cancel_at_period_end=True)
    yield sub(name, 2, amount, currency="chf")  # without a rate: held
    yield sub(name, 3, amount, status="trial")  # unusable: held
    paid = own | {"amount_paid": amount, "amount_due": amount, "amount_remaining": 0}
    yield paid | {"id": f"in_{name}", "object": "invoice", "status": "paid"}
    yield paid | {"id": f"in_{name}_2", "object": "invoice", "status": "paid", "currency": "zzz"}
    yield own | {"id": f"ch_{name}", "object": "charge", "status": "succeeded", "amount": amount}
    back = {"charge": f"ch_{name}", "amount": amount // 10, "currency": "usd"}
    back |= {"created": now - 3600, "reason": "general"}
    yield back | {"id": f"re_{name}", "object": "refund", "status": "succeeded"}
    dispute = back | {"id": f"dp_{name}", "object": "dispute", "status": "lost"}
    closed = {"id": f"evt_{name}", "object": "event", "type": "charge.dispute.closed"}
    yield closed | {"created": now - 60, "data": {"object": dispute}}


def leaving(name, amount):
    """Return a customer that left 10 days ago."""
    customer, ended_at = f"cus_{name}_gone", str(NOW.date() - timedelta(days=10))
    yield {"id": customer, "object": "customer", "created": 1}
    yield sub(name, 4, amount, status="canceled", ended_at=ended_at) | {"customer": customer}


def sub(name, number, amount, *, currency="usd", **more):
    since = str(NOW.date() - timedelta(days=60))
    stripe_json = subscription(item(price(amount, currency=currency)), created=since, **more)
    return stripe_json | {"id": f"sub_{name}_{number}", "customer": f"cus_{name}"}


def test_b12_the_excluded_customer_s_rows_exist_so_that_leaving_them_out_is_seen():
    bills(TESTER, AMOUNT, excluded=True)
    for model in (MrrMovement, CashEntry, HeldObject, RevenueCustomer):
        rows = model.objects.filter(customer_id__startswith=f"cus_{TESTER}")
        assert rows.exists(), model
        assert not rows.counted().exists(), model
    assert {row.kind for row in MrrMovement.objects.all()} >= {"new", "churn", "held"}
    assert {row.kind for row in CashEntry.objects.all()} == {"payment", "refund", "dispute"}


def test_b12_no_reader_says_anything_else_because_of_an_excluded_customer(company, staff):
    priority_actions.refresh(now=NOW)  # a page that is read first does it, too
    paths = addresses(company)
    before = everything(staff, paths)
    bills(TESTER, AMOUNT, excluded=True)
    after = everything(staff, paths)
    different = {name for name in after if before[name] != after[name]}
    assert different == MARKED.keys(), "Leave excluded customers out, or mark them and say so here"
    for name, mark in MARKED.items():
        assert after[name].count(mark) > before[name].count(mark), name


def unfiltered(source: str) -> Iterator[str]:
    """Yield the places of a module that read rows of the ledgers without the rule."""
    if re.search(LEDGERS, source):
        yield from ROWS.findall(source)
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr | ast.Constant):
            text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
            if TABLE.search(text) and "{COUNTED}" not in text:
                yield text


def test_b12_every_module_that_reads_ledger_rows_uses_the_rule_or_says_why_not():
    root = Path(django_settings.BASE_DIR)
    reading = {
        str(module.relative_to(root))
        for app in ("billing", "growth", "operational")
        for module in (root / app).rglob("*.py")
        if module.parent.name != "migrations" and [*unfiltered(module.read_text())]
    }
    assert reading == UNFILTERED.keys(), "Use .counted(), .marked() or COUNTED, or say why not here"


@pytest.mark.parametrize(
    "source",
    [
        "rows = MrrMovement.objects.filter(day=1)",
        "rows = HeldObject.objects.all().count()",
        "from billing.models import CashEntry\nfor model in (CashEntry,): model.objects.all()",
        "SQL = 'SELECT sum(amount) FROM billing_cashentry'",
        "SQL = f'SELECT {what} FROM billing_mrrmovement JOIN x WHERE NOT excluded'",
    ],
)
def test_b12_a_reader_without_the_rule_is_noticed(source):
    assert [*unfiltered(source)]


def test_b12_the_rows_of_an_excluded_customer_have_no_page(staff):
    bills(TESTER, AMOUNT, excluded=True)
    for model in (MrrMovement, CashEntry, HeldObject):
        row = model.objects.filter(customer_id__startswith=f"cus_{TESTER}").first()
        page = f"/admin/billing/{model._meta.model_name}/{row.pk}/change/"
        assert staff.get(page).status_code == 302, "to the list, as it does not exist"


def test_b12_an_included_customer_is_back_everywhere(company, staff):
    person = bills(TESTER, AMOUNT, excluded=True)
    exclusions.decide([person.pk], excluded=False, by="root")
    ledger.recount_due(now=NOW)
    page = staff.get("/admin/billing/revenue/movements.csv")
    assert f"cus_{TESTER}" in b"".join(page).decode()
    assert HeldObject.objects.counted().filter(customer_id=f"cus_{TESTER}").count() == 2
