"""S07: no one changes staff or a group with a right that they lack themselves."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from tests.operational.access.second_factor import PASSWORD, with_password

pytestmark = pytest.mark.django_db

RIGHTS = ["view_user", "change_user", "delete_user", "view_group", "change_group", "add_group"]


@pytest.fixture
def manager():
    user = User.objects.create_user("manager", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=RIGHTS))
    return user


def save(user, **data):
    form = {"username": user.username, "is_active": "on", "is_staff": "on"}
    dates = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    with_password("manager").post(f"/admin/auth/user/{user.pk}/change/", form | dates | data)
    user.refresh_from_db()


@pytest.mark.parametrize("name", ["manager", "grace"])
def test_s07_who_may_change_users_makes_no_superuser(manager, name):
    User.objects.create_user("grace", is_staff=True)
    user = User.objects.get(username=name)
    save(user, is_superuser="on", first_name="Saved")
    assert (user.first_name, user.is_superuser) == ("Saved", False)


def test_s07_who_may_change_users_adds_no_one_to_a_group_with_more_rights(manager):
    save(manager, groups=[Group.objects.get(name="Owner").pk])
    assert not manager.groups.exists()


def test_s07_who_may_change_users_grants_no_permission_that_they_lack(manager):
    save(manager, user_permissions=[Permission.objects.get(codename="erase_person").pk])
    assert not manager.has_perm("analytics.erase_person")


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("rights", [{"is_superuser": True}, {"group": "Owner"}])
def test_s07_no_one_sets_the_password_of_someone_with_more_rights(manager, rights, is_active):
    group = rights.get("group")
    other = User.objects.create_user(
        "grace", password=PASSWORD, is_staff=True, is_active=is_active, is_superuser=not group
    )
    other.groups.set(Group.objects.filter(name=group))
    data = {"password1": "another horse battery", "password2": "another horse battery"}
    browser = with_password("manager")
    assert browser.post(f"/admin/auth/user/{other.pk}/password/", data).status_code == 403
    assert browser.post(f"/admin/auth/user/{other.pk}/delete/", {"post": "yes"}).status_code == 403
    other.refresh_from_db()
    assert other.check_password(PASSWORD)


def test_s07_someone_with_fewer_rights_gets_a_new_password(manager):
    other = User.objects.create_user("grace", password=PASSWORD, is_staff=True)
    data = {"password1": "another horse battery", "password2": "another horse battery"}
    with_password("manager").post(f"/admin/auth/user/{other.pk}/password/", data)
    other.refresh_from_db()
    assert other.check_password("another horse battery")


def test_s07_who_may_change_groups_grants_no_right_that_they_lack(manager):
    group = Group.objects.create(name="Support")
    manager.groups.add(group)
    erase = Permission.objects.get(codename="erase_person")
    path = f"/admin/auth/group/{group.pk}/change/"
    with_password("manager").post(path, {"name": "Support", "permissions": [erase.pk]})
    assert not group.permissions.exists()
    owners = Group.objects.get(name="Owner")
    path = f"/admin/auth/group/{owners.pk}/change/"
    assert with_password("manager").post(path, {"name": "x"}).status_code == 403


def test_s07_owners_manage_owners(manager):
    manager.groups.set(Group.objects.filter(name="Owner"))
    other = User.objects.create_user("grace", is_staff=True)
    save(other, groups=[Group.objects.get(name="Owner").pk])
    assert other.groups.get().name == "Owner"


def test_s07_no_one_makes_a_token_for_someone_with_more_rights(manager):
    admin = User.objects.create_superuser("admin")
    grace = User.objects.create_user("grace")
    manager.user_permissions.add(*Permission.objects.filter(codename__in=["add_apitoken"]))
    page = with_password("manager").get("/admin/operational/apitoken/add/")
    users = page.context["adminform"].form.fields["user"].queryset
    assert {*users} == {manager, grace}
    assert admin not in users
