"""The ledger's invariant: opening + new + reactivation + expansion - contraction - churn = closing.

It is checked for every day, and independently: the closing MRR comes from what customers pay at the
end of a day, not from the checked sums.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from billing.models import COUNTED
from common.formatting import number

# What customers pay at the end of each day, summed over the days, next to the sums of the days.
_DAYS = f"""
WITH paid AS (
    SELECT DISTINCT customer_id, day, opening, closing
    FROM billing_mrrmovement WHERE {COUNTED}
), moved AS (
    SELECT day, sum(closing - opening) AS change,
           count(*) FILTER (WHERE opening = 0 AND closing > 0) AS joined,
           count(*) FILTER (WHERE opening > 0 AND closing = 0) AS churned
    FROM paid GROUP BY day
), levels AS (
    SELECT coalesce(moved.day, counted.day) AS day,
           coalesce(change, 0) AS change,
           coalesce(joined, 0) AS joined, coalesce(churned, 0) AS churned,
           coalesce(new + reactivation + expansion - contraction - churn, 0) AS counted_change,
           coalesce(new_customers + reactivated_customers, 0) AS counted_joined,
           coalesce(churned_customers, 0) AS counted_churned
    FROM moved FULL JOIN billing_mrrday counted ON counted.day = moved.day
), sums AS (
    SELECT day, sum(change) OVER w AS closing, sum(counted_change) OVER w AS counted_closing,
           sum(joined - churned) OVER w AS customers,
           sum(counted_joined - counted_churned) OVER w AS counted_customers
    FROM levels WINDOW w AS (ORDER BY day)
)
SELECT day, 'MRR', closing, counted_closing FROM sums WHERE closing <> counted_closing
UNION ALL
SELECT day, 'customers', customers, counted_customers FROM sums
WHERE customers <> counted_customers
ORDER BY 1
"""
# A customer's days follow from each other, and lead to its current MRR.
_CUSTOMERS = """
WITH days AS (
    SELECT customer_id, day, min(opening) AS opening, min(closing) AS closing,
           sum(amount) AS amount, max(kind) FILTER (WHERE kind <> 'held') AS kind,
           count(DISTINCT (opening, closing)) AS versions
    FROM billing_mrrmovement GROUP BY customer_id, day
), chain AS (
    SELECT *, lag(closing, 1, 0::bigint) OVER w AS before,
           lead(day) OVER w IS NULL AS is_last,
           coalesce(max(closing) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) > 0
               AS has_paid
    FROM days WINDOW w AS (PARTITION BY customer_id ORDER BY day)
)
SELECT day, 'movements of ' || customer_id, before + amount, closing
FROM chain LEFT JOIN billing_revenuecustomer USING (customer_id)
WHERE versions > 1 OR opening <> before OR opening + amount <> closing
   OR is_last AND closing IS DISTINCT FROM mrr
   OR kind IS NOT NULL AND kind <> CASE
       WHEN opening = 0 AND has_paid THEN 'reactivation' WHEN opening = 0 THEN 'new'
       WHEN closing = 0 THEN 'churn' WHEN closing >= opening THEN 'expansion'
       ELSE 'contraction' END
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Imbalance:
    """A day on which the ledger does not add up."""

    day: date
    subject: str
    expected: int
    actual: int

    def __str__(self) -> str:
        return (
            f"{self.day}, {self.subject}: {number(self.actual)} instead of {number(self.expected)}"
        )


def check(*, most: int = 100) -> list[Imbalance]:
    """Return where the ledger does not add up, earliest days first; empty if it adds up."""
    imbalances: list[Imbalance] = []
    with connection.cursor() as cursor:
        for query in (_DAYS, _CUSTOMERS):
            cursor.execute(f"SELECT * FROM ({query}) AS wrong LIMIT %s", [most])
            imbalances += [Imbalance(row[0], row[1], int(row[2]), int(row[3])) for row in cursor]
    return imbalances
