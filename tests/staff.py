"""Members of staff for tests."""

from django.contrib.auth.models import Group, User


def member(group: str = "", username: str = "ada") -> User:
    """Return a new member of staff, in a ready-made group such as Viewer."""
    user = User.objects.create_user(username, is_staff=True)
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user
