"""The eight scored KPIs: what each one is, in words, and the goal it starts with.

`operational.kpis.sources` measures them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from common.formatting import Unit
from operational.calculations.kpi import Better, Goal


class KpiGroup(StrEnum):
    """The people in a KPI's numbers."""

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
    """A KPI. Raise `formula_version` when its value would change for the same history."""

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
    people: Mapping[KpiGroup, str] = field(default_factory=dict)  # a label for each list of people
    bases: tuple[Basis, ...] = ()  # from which its goal chooses
    set_up_page: str = ""  # the name of the URL where its data is set up, if staff does that
    counts_activity: bool = False  # if so, passive events are excluded, too
    formula_version: int = 1


_EVENTS = "product events"
_BILLING = "Stripe billing"
_EXCLUDED_PEOPLE = "people marked as excluded (test, internal, bot)"
_EXCLUDED_CUSTOMERS = (
    "customers with an MRR of 0, such as those with a 100 % discount, and excluded people"
)


def _recent_signups(days: int) -> str:
    last = "the last complete day" if days == 1 else f"the last {days} complete days"
    return f"signups of {last}, which are too recent"


def _retention(day: int, *, target: float, weight: int, warning: float, critical: float) -> Kpi:
    slug = f"d{day}_retention"
    return Kpi(
        slug=slug,
        name=f"D{day} retention",
        unit=Unit.RATE,
        better=Better.HIGHER,
        formula=f"people active on day {day} after signup / people who signed up",
        window=f"signups of the 30 days ending {day} days before the last complete day",
        numerator=f"Active on day {day} after signup",
        denominator="Signed up",
        exclusions=(_EXCLUDED_PEOPLE, _recent_signups(day)),
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
            "people who activated within 7 x 24 h of signup / people who signed up"
            " (an activation up to 5 minutes before signup counts, because of clock skew)"
        ),
        window="signups of the 30 days ending 7 days before the last complete day",
        numerator="Activated within 7 x 24 hours of signup",
        denominator="Signed up",
        exclusions=(_EXCLUDED_PEOPLE, _recent_signups(7)),
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
        numerator="LTV, gross profit per customer over its lifetime, in minor units such as cents",
        denominator="CAC, cost of winning a customer, in minor units",
        exclusions=(_EXCLUDED_CUSTOMERS,),
        source=f"{_BILLING} and marketing spend",
        formula_version=2,
        default_goal=Goal("ltv_cac", 1, 4, 15, 3, 2),
        people={KpiGroup.DENOMINATOR: "Became customers in the 90 days"},
        set_up_page="growth:spend-add",
    ),
    Kpi(
        slug="signup_activation",
        name="Signup to activation in 24 h",
        unit=Unit.RATE,
        better=Better.HIGHER,
        formula=(
            "people who activated within 24 h of signup / people who signed up"
            " (an activation up to 5 minutes before signup counts, because of clock skew)"
        ),
        window="signups of the 30 days ending 1 day before the last complete day",
        numerator="Activated within 24 hours of signup",
        denominator="Signed up",
        exclusions=(_EXCLUDED_PEOPLE, _recent_signups(1)),
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
        formula="(M1 - M0) / M0: M1 is the last complete calendar month, M0 the month before",
        window="the last two complete calendar months",
        numerator="Change from the month before",
        denominator="The month before",
        exclusions=(_EXCLUDED_PEOPLE, "the current month"),
        source=f"{_EVENTS}, or {_BILLING} when based on customers or MRR",
        formula_version=2,
        default_goal=Goal("growth_mom", 1, 0.15, 10, basis=Basis.ACTIVE_USERS),
        people={
            KpiGroup.NUMERATOR: "In the last complete month",
            KpiGroup.DENOMINATOR: "In the month before",
            KpiGroup.MISSED: "In the month before, but not in the last complete month",
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
            "customers 30 days before the last complete day whose MRR is 0 at the end of that day"
            " / customers 30 days before that day"
        ),
        window="the 30 days ending on the last complete day",
        numerator="Customers who left",
        denominator="Customers 30 days before",
        exclusions=(_EXCLUDED_CUSTOMERS,),
        source=_BILLING,
        formula_version=2,
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
            "referred people who signed up within 30 x 24 h after their inviter signed up"
            " / size of the inviters' cohort"
        ),
        window="signups of the 30 days ending 30 days before the last complete day",
        numerator="Referred people who signed up within 30 days",
        denominator="Signed up and could invite",
        exclusions=(_EXCLUDED_PEOPLE, "self-referrals", _recent_signups(30)),
        source="referrals",
        default_goal=Goal("viral_coefficient", 1, 0.5, 5),
        people={
            KpiGroup.NUMERATOR: "Brought by a new person within 30 days",
            KpiGroup.DENOMINATOR: "Signed up and could invite",
            KpiGroup.MISSED: "Brought no one within 30 days",
        },
        set_up_page="growth:referrals",
    ),
)

CATALOGUE: Mapping[str, Kpi] = {kpi.slug: kpi for kpi in _KPIS}


def kpi_name(slug: str) -> str:
    """Return the KPI's name; a KPI no longer in the catalogue shows its slug."""
    return CATALOGUE[slug].name if slug in CATALOGUE else slug
