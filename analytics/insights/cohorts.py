"""The persons behind the numbers, as lists: who signed up, was active, or came back."""

from collections.abc import Collection
from datetime import date, timedelta

from django.db.models import DateField, Exists, ExpressionWrapper, OuterRef, QuerySet
from django.db.models.functions import TruncDate

from analytics.models import Person, PersonDay
from analytics.rollups import definitions

DayRange = tuple[date, date]  # its first and its last day


def no_persons() -> QuerySet[Person]:
    return Person.objects.none()


def with_ids(person_ids: Collection[int]) -> QuerySet[Person]:
    """Return those of the persons who are counted."""
    return Person.objects.counted().filter(pk__in=person_ids)


def signed_up(first: date, last: date) -> QuerySet[Person]:
    """Return the persons who signed up from the `first` to the `last` day."""
    start, end = definitions.calendar().span(first, last)
    return Person.objects.counted().filter(signup_at__gte=start, signup_at__lt=end)


def active(days: DayRange) -> QuerySet[Person]:
    """Return the persons active on any day of a range."""
    return Person.objects.counted().filter(_was_active(days))


def active_before_only(before: DayRange, after: DayRange) -> QuerySet[Person]:
    """Return the persons active in a range of days, but not in a later one."""
    return Person.objects.counted().filter(_was_active(before), ~_was_active(after))


def signed_up_and_retained(
    first: date, last: date, *, day: int, retained: bool
) -> QuerySet[Person]:
    """Return the persons of a range of signup days who were, or were not, active `day` days later.

    The range must have been over for `day` days.
    """
    came_back = Exists(
        PersonDay.objects.filter(
            person=OuterRef("pk"),
            day=ExpressionWrapper(
                OuterRef("signup_day") + timedelta(days=day), output_field=DateField()
            ),
        )
    )
    signup_day = TruncDate("signup_at", tzinfo=definitions.calendar().zone)
    persons = signed_up(first, last).alias(signup_day=signup_day)
    return persons.filter(came_back if retained else ~came_back)


def _was_active(days: DayRange) -> Exists:
    return Exists(PersonDay.objects.filter(person=OuterRef("pk"), day__range=days))
