import pytest

from billing.revenue import ledger
from growth.calculations.spend.lines import SpendLine
from tests.billing.stripe_json import Store
from tests.growth.spend import company
from tests.growth.spend.company import AS_OF, NOW, WINDOW_FROM


@pytest.fixture
def stripe(db, monkeypatch, time_machine):
    time_machine.move_to(NOW, tick=False)
    return Store().install(monkeypatch)


@pytest.fixture
def customers(stripe):
    """Forty customers at 10.00 since January; in June 11 from Google at 20.00 and 2 unattributed.

    In May a customer of the first forty left.
    """
    for number in range(40):
        company.subscribe(stripe, number, until="2024-05-15" if number == 0 else None)
    for number in range(40, 51):
        company.subscribe(stripe, number, 2000, since="2024-06-05")
        stripe.persons[f"cus_{number}"] = company.person("2024-06-01", source="Google Ads").pk
    for number in (51, 52):
        company.subscribe(stripe, number, since="2024-06-05")
    ledger.rebuild(now=NOW)
    return stripe


@pytest.fixture
def spent(db, time_machine):
    """13,000.00 over the 90 days that end on 30 June, on Google."""
    time_machine.move_to(NOW, tick=False)
    line = SpendLine(
        channel="google", first=WINDOW_FROM, last=AS_OF, amount=1_300_000, currency="usd"
    )
    company.record(line)
    return line
