"""The data-quality check of links between Stripe customers and persons."""

from datetime import datetime

from billing.models import StripeCustomer
from billing.stripe import gateway
from common.data_quality import NO_DATA, PASSED, Check, CheckVerdict, Example, Finding
from common.formatting import counted

MAX_EXAMPLES = 5


class UnlinkedCustomers(Check):
    slug = "unlinked_customers"
    name = "Stripe customers without a person"
    family = "Orphaned records"
    remedy = "Confirm or refuse the suggestions under Unlinked customers in the admin."

    def run(self, *, now: datetime) -> Finding:
        unlinked = gateway.count_unlinked()
        if not unlinked:
            return PASSED if StripeCustomer.objects.exists() else NO_DATA
        examples = [
            Example(row["id"], "billing:unlinked-customers")
            for row in gateway.unlinked_customers(MAX_EXAMPLES)
        ]
        detail = f"Not linked to a person: {counted(unlinked, 'Stripe customer')}."
        return Finding(CheckVerdict.WARNING, unlinked, detail, examples)


CHECKS: tuple[Check, ...] = (UnlinkedCustomers(),)
