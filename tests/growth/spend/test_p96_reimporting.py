"""P96: re-importing spend does not double it, and a late rate does not restate closed months."""

from decimal import Decimal

import pytest

from billing.models import RevenueSettings
from growth.models import SpendDay
from growth.spend import recording, spending
from tests.growth.spend.company import AS_OF, NOW, line, rate, record, stored

pytestmark = pytest.mark.django_db


def counts(changes):
    return (
        len(changes.added),
        len(changes.replaced),
        len(changes.converted),
        changes.unchanged,
    )


def test_the_same_rows_again_change_nothing():
    first = record(line(9000, "2024-06-01", "2024-06-03"))
    before = list(SpendDay.objects.values())
    again = record(line(9000, "2024-06-01", "2024-06-03"))
    assert (counts(first), counts(again)) == ((3, 0, 0, 0), (0, 0, 0, 3))
    assert list(SpendDay.objects.values()) == before


def test_rows_that_differ_are_replaced_and_named():
    record(line(9000, "2024-06-01", "2024-06-03"))
    changes = record(line(4000, "2024-06-02"), line(1000, "2024-06-04"))
    assert counts(changes) == (1, 1, 0, 0)
    (replaced,) = changes.replaced
    assert (replaced.before.amount, replaced.after.amount) == (3000, 4000)
    assert stored() == [(1, 3000, 3000), (2, 4000, 4000), (3, 3000, 3000), (4, 1000, 1000)]


@pytest.mark.parametrize("more", [{"channel": "bing"}, {"campaign": "spring"}])
def test_another_channel_or_campaign_adds_to_the_day(more):
    record(line(9000), line(1000, **more))
    assert spending.spending(first=AS_OF.replace(day=1), last=AS_OF.replace(day=1)).amount == 10_000


def test_a_preview_says_the_same_and_stores_nothing():
    record(line(9000))
    changes = recording.preview([line(8000), line(1, "2024-06-02")], now=NOW)
    assert counts(changes) == (1, 1, 0, 0)
    assert stored() == [(1, 9000, 9000)]


def test_the_rate_of_the_day_is_kept_when_a_later_rate_arrives():
    rate("1.10")
    record(line(1000, "2024-06-03", currency="eur"))
    rate("1.50", day="2024-06-03")  # late: the day's own
    recording.convert_held(now=NOW)
    record(line(1000, "2024-06-03", currency="eur"))
    assert stored() == [(3, 1000, 1100)]


def test_a_corrected_amount_keeps_the_rate_of_its_day():
    rate("1.10")
    record(line(1000, currency="eur"))
    rate("1.50", day="2024-05-31")
    rate("1.60", day="2024-06-02")
    record(line(2000, currency="eur"))
    assert stored() == [(1, 2000, 2200)]
    assert SpendDay.objects.get().fx_rate == Decimal("1.10")


def test_without_a_rate_an_amount_is_held_and_covers_its_day():
    changes = record(line(1000, currency="eur"))
    assert changes.held == ["eur"]
    spent = spending.spending(first=AS_OF.replace(day=1), last=AS_OF.replace(day=1))
    assert (spent.amount, spent.uncovered, spent.held) == (0, [], ["eur"])


def test_a_held_amount_is_converted_only_when_that_is_asked():
    record(line(1000, currency="eur"))
    rate("1.10")
    assert stored() == [(1, 1000, None)]
    assert [row.reported for row in recording.convertible(now=NOW)] == [1100]
    assert stored() == [(1, 1000, None)]
    assert [row.reported for row in recording.convert_held(now=NOW)] == [1100]
    assert stored() == [(1, 1000, 1100)]


def test_a_re_import_says_what_it_converts():
    record(line(1000, currency="eur"))
    rate("1.10")
    assert counts(record(line(1000, currency="eur"))) == (0, 0, 1, 0)


def test_a_rate_older_than_seven_days_is_not_guessed():
    rate("1.10", day="2024-05-20")
    assert record(line(1000, "2024-06-01", currency="eur")).held == ["eur"]


def test_currencies_without_decimals_are_converted():
    """1,000 JPY at 0.0067 are 6.70 USD."""
    rate("0.0067", currency="jpy")
    record(line(1000, currency="jpy"))
    assert stored() == [(1, 1000, 670)]


def test_after_a_change_of_the_reporting_currency_amounts_are_held_until_converted():
    record(line(1100))
    rate("1.10")
    RevenueSettings.objects.create(pk=1, reporting_currency="eur", built_currency="eur")
    spent = spending.spending(first=AS_OF.replace(day=1), last=AS_OF.replace(day=1))
    assert (spent.amount, spent.held) == (0, ["usd"])


def test_deleting_uncovers_the_days():
    record(line(9000, "2024-06-01", "2024-06-03"), line(50, campaign="spring"))
    first, last = AS_OF.replace(day=1), AS_OF.replace(day=2)
    assert recording.delete(channel="google", campaign="", first=first, last=last) == 2
    assert stored() == [(1, 50, 50), (3, 3000, 3000)]
    assert recording.delete(channel="google", first=first, last=last) == 1
    assert spending.spending(first=first, last=last).uncovered == [first, last]


def test_a_real_amount_replaces_that_of_the_demo():
    record(line(9000), is_demo=True)
    assert counts(record(line(9000))) == (0, 1, 0, 0)
    assert not SpendDay.objects.get().is_demo
