"""Who has rights that another user lacks: no one changes them, or acts as them with a token."""

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet


def covers(user: User, other: User | Group | None) -> bool:
    """Return whether a user has every right of another user or of a group."""
    if user.is_superuser or other is None:
        return True
    if isinstance(other, Group):
        return not beyond(user, Group.objects.filter(pk=other.pk))
    rights = _rights(other)  # also those that an inactive user would have again
    return not other.is_superuser and not rights.exclude(pk__in=_rights(user)).exists()


def beyond(user: User, rows: QuerySet) -> set[int]:
    """Return the ids of those permissions or groups that hold a right which the user lacks."""
    if user.is_superuser:
        return set()
    lacking = Permission.objects.exclude(pk__in=_rights(user))
    condition = "pk__in" if rows.model is Permission else "permissions__in"
    return set(rows.filter(**{condition: lacking}).values_list("pk", flat=True))


def _rights(user: User) -> QuerySet[Permission]:
    return Permission.objects.filter(Q(group__user=user) | Q(user=user)).distinct()
