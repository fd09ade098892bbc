"""Show revenue at the end of a day."""

from argparse import ArgumentParser
from datetime import date
from fractions import Fraction
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from analytics.rollups import definitions
from billing.revenue import customer_churn, ledger_check, lifetime_value, mrr
from billing.revenue.revenue_report import full_report
from common import formatting
from common.commands import QuickCommand, day
from common.late import late

as_json = late("common.api.serializers.as_json")  # importing it takes a while


class Command(QuickCommand):
    help = "Show MRR, churn and lifetime value at the end of a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", metavar="DAY", type=day, help="YYYY-MM-DD")
        parser.add_argument(
            "--json", action="store_true", help="print the bodies of the API's responses"
        )
        parser.add_argument(
            "--check", action="store_true", help="fail if the ledger does not add up on every day"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            as_of = definitions.complete_day(options["as_of"])
        except ValidationError as error:
            raise CommandError(f"--as-of: {error.message}") from error
        if options["check"]:
            self._check()
        elif options["json"]:
            reports = full_report(as_of=as_of)
            answers = {name: as_json(report) for name, report in reports.items()}
            self.stdout.write(formatting.pretty_json(answers))
        else:
            self.stdout.write("\n".join(_lines(as_of)))

    def _check(self) -> None:
        wrong = ledger_check.check()
        for imbalance in wrong:
            self.stderr.write(str(imbalance))
        if wrong:
            raise CommandError("The MRR ledger does not add up. Run rebuild_revenue.")
        self.stdout.write("The MRR ledger adds up on every day.")


def _lines(as_of: date) -> list[str]:
    now, churn, ltv = (
        mrr.report(as_of=as_of),
        customer_churn.last_30_days(as_of=as_of),
        lifetime_value.estimate(as_of=as_of),
    )

    def money(amount: int | Fraction | None) -> str:
        return formatting.money(amount, now.currency)

    value = ltv.lifetime
    capped = ", churn floored at 1.67 %" if value and value.capped else ""
    margin = "" if ltv.margin_is_set else ", gross margin not set: 100 %"
    return [
        f"As of {as_of}",
        f"MRR            {money(now.mrr)}",
        f"  at risk      {money(now.at_risk)}",
        f"  ending       {money(now.scheduled_churn)}",
        *([f"  tax included {money(now.with_tax)}"] if now.with_tax else []),
        f"Customers      {formatting.number(now.customers)}",
        f"ARPA           {money(now.arpa)}",
        f"Churn, 30 days {formatting.percent(churn.rate.value)} {churn.rate.reason}".rstrip(),
        f"LTV            {money(value.ltv if value else None)}{capped}{margin}",
        *(
            f"No exchange rate: {formatting.money(held.amount, held.currency)} held"
            for held in now.held
        ),
    ]
