"""The data-quality checks of billing."""

from datetime import datetime

from billing.models import HeldObject, MrrMovement
from billing.revenue import ledger_check
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import number

SHOWN = 5


class LedgerInvariant(Check):
    slug = "mrr_ledger"
    name = "The MRR ledger adds up"
    family = "Ledger invariant"
    remedy = "manage.py sync_stripe reads the subscriptions anew and recounts what differs."

    def run(self, *, now: datetime) -> Finding:
        if not MrrMovement.objects.exists():
            return NO_DATA
        found = ledger_check.check()
        if not found:
            return PASSED
        examples = [Example(str(one), "billing:revenue-page") for one in found[:SHOWN]]
        detail = f"{number(len(found))} sums differ from what customers pay."
        return Finding(CheckVerdict.FAIL, len(found), detail, examples)


class HeldAmounts(Check):
    slug = "held_amounts"
    name = "Amounts that could not be counted"
    family = "Missing fields"
    remedy = "Held objects in the admin says what each lacks, such as an exchange rate."

    def run(self, *, now: datetime) -> Finding:
        if not MrrMovement.objects.exists() and not HeldObject.objects.exists():
            return NO_DATA
        held = HeldObject.objects.count()
        if not held:
            return PASSED
        page = "admin:billing_heldobject_changelist"
        examples = [Example(str(one), page) for one in HeldObject.objects.order_by("pk")[:SHOWN]]
        return Finding(
            CheckVerdict.WARNING, held, f"{number(held)} objects of Stripe are held.", examples
        )


CHECKS: tuple[Check, ...] = (LedgerInvariant(), HeldAmounts())
