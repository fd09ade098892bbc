"""A fictional company for the demo, whose product events look like those of a real company.

Seeded, so the same arguments give the same events. Signups grow and follow the week; people
activate within hours or never; activity decays as a power of the days since signup.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

_FIRST_NAMES = (
    "Ada Amir Anna Ben Carla Chen Clara Dario Elif Emil Fatima Felix Grace Hana Igor Ines Jonas "
    "Julia Kofi Lena Liam Lucia Marta Mei Mila Nina Noah Olga Omar Paula Priya Rosa Sami Sofia "
    "Theo Uma Viktor Yara Zoe"
).split()
_LAST_NAMES = (
    "Adler Baker Costa Diaz Eriksen Fischer Garcia Haddad Ito Jansen Kaya Lopez Meyer Novak "
    "Okafor Patel Quinn Rossi Silva Tanaka Umar Varga Weber Xu Young Zimmer"
).split()
_CHANNELS = {"organic search": 40, "referral": 20, "paid ads": 18, "social": 12, "direct": 10}
_USE = {
    "workflow_run": 44,
    "report_viewed": 26,
    "suggestion_applied": 14,
    "workflow_created": 8,
    "comment_added": 6,
    "invite_sent": 2,
}
_WEEKDAY = (1.15, 1.25, 1.2, 1.15, 0.95, 0.45, 0.5)  # Monday to Sunday
_GROWTH = 2.2  # signups at the end relative to the beginning


@dataclass(frozen=True)
class _Character:
    """How one person behaves. Rates are probabilities of being active on a weekday."""

    number: int
    signup: datetime
    activation: datetime | None
    interest: float


def events(*, persons: int, days: int, until: datetime, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the events of the `days` that end at the aware `until`, in order of time."""
    random = Random(seed)  # noqa: S311
    timeline = []
    for number, signup_day in enumerate(_signup_days(random, persons, days, until.date())):
        person = _character(random, number, signup_day)
        timeline += [event for event in _life(random, person, until) if event["timestamp"] < until]
    for event in sorted(timeline, key=lambda event: event["timestamp"]):
        yield {**event, "timestamp": event["timestamp"].isoformat()}


def _signup_days(random: Random, persons: int, days: int, last: date) -> list[date]:
    calendar = [last - timedelta(days=ago) for ago in reversed(range(days))]
    weights = [
        _GROWTH ** (position / days) * _WEEKDAY[day.weekday()]
        for position, day in enumerate(calendar)
    ]
    return sorted(random.choices(calendar, weights, k=persons))


def _character(random: Random, number: int, signup_day: date) -> _Character:
    signup = _time_on(random, signup_day)
    interest = random.betavariate(1.1, 2.2)
    activates = random.random() < 0.11 + 0.72 * interest
    delay = timedelta(hours=random.lognormvariate(math.log(7), 1.4))
    return _Character(number, signup, signup + delay if activates else None, interest)


def _life(random: Random, person: _Character, until: datetime) -> Iterator[dict[str, Any]]:
    yield _signed_up(random, person)
    if person.activation:
        yield _event(person, "workflow_created", person.activation, {"template": "from demo"})
    reach = person.interest * (1.0 if person.activation else 0.25)
    for age in range((until.date() - person.signup.date()).days + 1):
        day = person.signup.date() + timedelta(days=age)
        chance = min(0.9, 2.05 * reach * (age + 1) ** -0.4 * _WEEKDAY[day.weekday()])
        if random.random() < chance:
            for _ in range(1 + int(random.expovariate(0.45))):
                name = random.choices(list(_USE), list(_USE.values()))[0]
                time_ = _time_on(random, day)
                if time_ < person.signup:
                    time_ = person.signup + timedelta(minutes=random.uniform(1, 240))
                if name != "workflow_created" or person.activation:
                    later = max(time_, person.activation or time_)
                    yield _event(person, name, later if name == "workflow_created" else time_, {})


def _time_on(random: Random, day: date) -> datetime:
    hour = min(max(random.gauss(14, 3.5), 0), 23.99)
    return datetime.combine(day, time(), UTC) + timedelta(hours=hour)


def _signed_up(random: Random, person: _Character) -> dict[str, Any]:
    first, last = random.choice(_FIRST_NAMES), random.choice(_LAST_NAMES)
    channel = random.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
    email = f"{first}.{last}.{person.number}@example.com".lower()
    return _event(
        person,
        "signed_up",
        person.signup,
        {
            "channel": channel,
            "$set": {"email": email, "name": f"{first} {last}"},
            "$set_once": {"channel": channel, "$initial_utm_source": channel},
        },
    )


def _event(
    person: _Character, name: str, time_: datetime, properties: dict[str, Any]
) -> dict[str, Any]:
    return {
        "event": name,
        "distinct_id": f"demo-{person.number:05d}",
        "timestamp": time_,
        "properties": properties,
    }
