"""The data-quality checks of billing."""

from datetime import datetime

from billing.models import HeldObject, MrrMovement
from billing.revenue import ledger_check
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import counted

MAX_EXAMPLES = 5


class LedgerInvariant(Check):
    slug = "mrr_ledger"
    name = "The MRR ledger adds up"
    family = "Ledger invariant"
    remedy = "Run manage.py sync_stripe: it reads the subscriptions again and recounts differences."

    def run(self, *, now: datetime) -> Finding:
        if not MrrMovement.objects.counted().exists():
            return NO_DATA
        imbalances = ledger_check.check()
        if not imbalances:
            return PASSED
        examples = [
            Example(str(imbalance), "billing:revenue-page")
            for imbalance in imbalances[:MAX_EXAMPLES]
        ]
        detail = f"Different from what customers pay: {counted(len(imbalances), 'sum')}."
        return Finding(CheckVerdict.FAIL, len(imbalances), detail, examples)


class HeldAmounts(Check):
    slug = "held_amounts"
    name = "Amounts that could not be counted"
    family = "Missing fields"
    remedy = "See Held objects in the admin for what is missing, such as an exchange rate."

    def run(self, *, now: datetime) -> Finding:
        held = HeldObject.objects.counted()
        number = held.count()
        if not number:
            return PASSED if MrrMovement.objects.counted().exists() else NO_DATA
        page = "admin:billing_heldobject_changelist"
        examples = [Example(str(row), page) for row in held.order_by("pk")[:MAX_EXAMPLES]]
        detail = f"Held: {counted(number, 'Stripe object')}."
        return Finding(CheckVerdict.WARNING, number, detail, examples)


CHECKS: tuple[Check, ...] = (LedgerInvariant(), HeldAmounts())
