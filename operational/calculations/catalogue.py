"""The eight KPIs that are scored: what each is, in words, and the goal it starts with.

How they are measured is in `operational.kpis.sources`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from common.formatting import Unit
from operational.calculations.kpi import Better, Goal


class KpiGroup(StrEnum):
    """The persons behind a KPI's numbers."""

    NUMERATOR = "numerator"
    DENOMINATOR = "denominator"
    MISSED = "missed"  # in the denominator, not in the numerator


class Basis(StrEnum):
    """What growth is measured on."""

    ACTIVE_USERS = "active_users"
    SIGNUPS = "signups"
    CUSTOMERS = "customers"
    MRR = "mrr"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI. Raise `formula_version` whenever its value would change for the same history."""

    slug: str
    name: str
    unit: Unit
    better: Better
    formula: str
    window: str
    numerator: str
    denominator: str
    exclusions: tuple[str, ...]
    source: str
    default_goal: Goal
    people: Mapping[KpiGroup, str] = field(default_factory=dict)  # a label for each list of persons
    bases: tuple[Basis, ...] = ()  # among which its goal chooses
    counts_activity: bool = False  # then events that are no activity are left out, too
    formula_version: int = 1


_EVENTS = "Product events"
_BILLING = "Stripe billing"
_UNCOUNTED_PERSONS = "persons marked as excluded (test, internal, bot)"
_UNCOUNTED_CUSTOMERS = (
    "customers whose MRR is 0, such as those with a 100 % discount, and those of excluded persons"
)


def _young_signups(days: int) -> str:
    last = "the last complete day" if days == 1 else f"the last {days} complete days"
    return f"signups of {last}, which are too young"


def _retention(day: int, *, target: float, weight: int, warning: float, critical: float) -> Kpi:
    slug = f"d{day}_retention"
    return Kpi(
        slug=slug,
        name=f"D{day} retention",
        unit=Unit.RATE,
        better=Better.HIGHER,
        formula=f"persons active on day signup + {day} / persons who signed up",
        window=f"signups of the 30 days ending {day} days before the last complete day",
        numerator=f"Active on day {day} after signup",
        denominator="Signed up",
        exclusions=(_UNCOUNTED_PERSONS, _young_signups(day)),
        source=_EVENTS,
        default_goal=Goal(slug, 1, target, weight, warning, critical),
        people={
            KpiGroup.NUMERATOR: f"Active on day {day} after signup",
            KpiGroup.DENOMINATOR: "Signed up",
            KpiGroup.MISSED: f"Not active on day {day} after signup",
        },
        counts_activity=True,
    )


_KPIS = (
    _retention(7, target=0.25, weight=20, warning=0.20, critical=0.15),
    Kpi(
        slug="activation_rate",
        name="Activation rate",
        unit=Unit.RATE,
        better=Better.HIGHER,
        formula=(
            "persons whose activation is within 7 x 24 h of signup / persons who signed up"
            " (an activation up to 5 minutes before signup counts: clock skew)"
        ),
        window="signups of the 30 days ending 7 days before the last complete day",
        numerator="Activated within 7 x 24 hours of signup",
        denominator="Signed up",
        exclusions=(_UNCOUNTED_PERSONS, _young_signups(7)),
        source=_EVENTS,
        default_goal=Goal("activation_rate", 1, 0.40, 15, 0.30, 0.20),
        people={
            KpiGroup.NUMERATOR: "Activated within 7 days of signup",
            KpiGroup.DENOMINATOR: "Signed up",
            KpiGroup.MISSED: "Not activated within 7 days of signup",
        },
    ),
    _retention(30, target=0.15, weight=15, warning=0.12, critical=0.08),
    Kpi(
        slug="ltv_cac",
        name="LTV:CAC",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        formula=(
            "LTV / CAC, where LTV = MRR per customer x gross margin / monthly customer churn and"
            " CAC = marketing and sales spend / new customers"
        ),
        window="CAC: the 90 days ending on the last complete day",
        numerator="LTV: what a customer brings over the whole time",
        denominator="CAC: what winning a customer costs",
        exclusions=(_UNCOUNTED_CUSTOMERS,),
        source=f"{_BILLING} and marketing spend",
        default_goal=Goal("ltv_cac", 1, 4, 15, 3, 2),
    ),
    Kpi(
        slug="signup_activation",
        name="Signup to activation in 24 h",
        unit=Unit.RATE,
        better=Better.HIGHER,
        formula=(
            "persons whose activation is within 24 h of signup / persons who signed up"
            " (an activation up to 5 minutes before signup counts: clock skew)"
        ),
        window="signups of the 30 days ending 1 day before the last complete day",
        numerator="Activated within 24 hours of signup",
        denominator="Signed up",
        exclusions=(_UNCOUNTED_PERSONS, _young_signups(1)),
        source=_EVENTS,
        default_goal=Goal("signup_activation", 1, 0.25, 10),
        people={
            KpiGroup.NUMERATOR: "Activated within 24 hours of signup",
            KpiGroup.DENOMINATOR: "Signed up",
            KpiGroup.MISSED: "Not activated within 24 hours of signup",
        },
    ),
    Kpi(
        slug="growth_mom",
        name="Growth month over month",
        unit=Unit.CHANGE,
        better=Better.HIGHER,
        formula="(M1 - M0) / M0: M1 is the last complete calendar month, M0 the one before",
        window="the last two complete calendar months",
        numerator="Change from the month before",
        denominator="The month before",
        exclusions=(_UNCOUNTED_PERSONS, "the month that is not over"),
        source=f"{_EVENTS}, or {_BILLING} on the basis of customers or MRR",
        default_goal=Goal("growth_mom", 1, 0.15, 10, basis=Basis.ACTIVE_USERS),
        people={
            KpiGroup.NUMERATOR: "In the last complete month",
            KpiGroup.DENOMINATOR: "In the month before",
            KpiGroup.MISSED: "In the month before, not in the last complete one",
        },
        bases=tuple(Basis),
        counts_activity=True,
    ),
    Kpi(
        slug="churn_rate",
        name="Customer churn, monthly",
        unit=Unit.RATE,
        better=Better.LOWER,
        formula=(
            "customers 30 days before the last complete day whose MRR is 0 at its end"
            " / customers 30 days before it"
        ),
        window="the 30 days ending on the last complete day",
        numerator="Customers who left",
        denominator="Customers 30 days before",
        exclusions=(_UNCOUNTED_CUSTOMERS,),
        source=_BILLING,
        default_goal=Goal("churn_rate", 1, 0.05, 10, 0.07, 0.10),
        people={
            KpiGroup.NUMERATOR: "Left",
            KpiGroup.DENOMINATOR: "Customers 30 days before",
            KpiGroup.MISSED: "Stayed",
        },
    ),
    Kpi(
        slug="viral_coefficient",
        name="Viral coefficient",
        unit=Unit.RATIO,
        better=Better.HIGHER,
        formula=(
            "distinct referred persons who signed up within 30 days after their inviter signed up"
            " / inviters' cohort size"
        ),
        window="signups of the 30 days ending 30 days before the last complete day",
        numerator="Referred persons who signed up within 30 days",
        denominator="Signed up, and so could invite",
        exclusions=(_UNCOUNTED_PERSONS, "referrals of oneself"),
        source="Referrals",
        default_goal=Goal("viral_coefficient", 1, 0.5, 5),
    ),
)

CATALOGUE: Mapping[str, Kpi] = {kpi.slug: kpi for kpi in _KPIS}


def kpi_name(slug: str) -> str:
    """Return the KPI's name; one that left the catalogue keeps its slug."""
    return CATALOGUE[slug].name if slug in CATALOGUE else slug
