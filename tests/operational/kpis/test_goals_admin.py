import pytest
from django.contrib.auth.models import Permission, User

from operational.kpis import goals
from operational.models import KpiGoal, KpiReading
from tests.operational.overview.test_dashboard import as_text

LIST = "/admin/operational/kpigoal/"

pytestmark = pytest.mark.django_db


def form_of(client, slug):
    """Return the URL of a goal's form and its values."""
    row = KpiGoal.objects.filter(kpi=slug).latest("version")
    url = f"{LIST}{row.pk}/change/"
    form = client.get(url).context["adminform"].form
    return url, {name: form[name].value() or "" for name in form.fields}


def change(client, slug, **changes):
    url, fields = form_of(client, slug)
    return client.post(url, fields | changes)


def test_the_list_shows_the_goals_in_force(admin_client):
    goals.set_goal(kpi="d7_retention", target=0.3, weight=20)
    response = admin_client.get(LIST)
    text = as_text(response.content.decode())
    assert response.context["cl"].result_count == 8
    assert ("30.0 %" in text, "25.0 %" in text.split("D7 retention")[1][:40]) == (True, False)


def test_shares_are_entered_in_percent(admin_client):
    _, fields = form_of(admin_client, "d7_retention")
    assert (fields["target"], fields["warning"], fields["critical"]) == ("25", "20", "15")


def test_ratios_are_entered_as_they_are(admin_client):
    _, fields = form_of(admin_client, "ltv_cac")
    assert fields["target"] == "4"


def test_saving_creates_a_new_version_with_author_and_reason(admin_client, admin_user):
    change(admin_client, "d7_retention", target="30.5 %", note="Board meeting")
    old, new = KpiGoal.objects.filter(kpi="d7_retention").order_by("version")
    assert (old.target, new.target, new.version) == (0.25, 0.305, 2)
    assert (new.created_by, new.note) == (admin_user, "Board meeting")


def test_saving_redirects_to_the_kpi(admin_client):
    response = change(admin_client, "d7_retention", target="30")
    assert response.url == "/admin/operational/kpis/d7_retention/"


@pytest.mark.parametrize("percent", ["7", "29", "12.3", "33.333333"])
def test_a_share_is_unchanged_after_display_and_save(admin_client, percent):
    change(admin_client, "growth_mom", target=percent)
    change(admin_client, "growth_mom")
    assert goals.in_force()["growth_mom"].version == 2
    assert form_of(admin_client, "growth_mom")[1]["target"] == percent


def test_the_basis_of_growth_can_be_chosen(admin_client):
    change(admin_client, "growth_mom", basis="signups")
    assert goals.in_force()["growth_mom"].basis == "signups"


@pytest.mark.parametrize(
    ("slug", "field", "value"),
    [
        ("d7_retention", "target", ""),
        ("d7_retention", "target", "lots"),
        ("d7_retention", "target", "0"),
        ("d7_retention", "target", "101"),
        ("d7_retention", "target", "nan"),
        ("d7_retention", "warning", "26"),
        ("d7_retention", "critical", "21"),
        ("d7_retention", "weight", "-1"),
        ("churn_rate", "warning", "4"),
        ("growth_mom", "basis", "nonsense"),
    ],
)
def test_an_invalid_goal_is_refused_naming_the_field(admin_client, slug, field, value):
    response = change(admin_client, slug, **{field: value})
    assert field in response.context["adminform"].form.errors
    assert goals.in_force()[slug].version == 1


def test_an_outdated_form_is_refused(admin_client):
    url, fields = form_of(admin_client, "d7_retention")
    goals.set_goal(kpi="d7_retention", target=0.4, weight=20)
    response = admin_client.post(url, fields | {"target": "30"})
    assert "Someone else saved version 2 in the meantime" in response.content.decode()
    assert goals.in_force()["d7_retention"].target == 0.4


def test_an_old_version_opens_the_goal_in_force(admin_client):
    old = KpiGoal.objects.get(kpi="d7_retention")
    goals.set_goal(kpi="d7_retention", target=0.4, weight=20)
    fields = admin_client.get(f"{LIST}{old.pk}/change/").context["adminform"].form.initial
    assert (fields["target"], fields["in_force"]) == (0.4, 2)


def test_the_form_shows_the_history(admin_client):
    goals.set_goal(kpi="d7_retention", target=0.4, weight=20, note="Ambition")
    url, _ = form_of(admin_client, "d7_retention")
    assert "Ambition" in admin_client.get(url).content.decode()


def test_the_history_button_redirects_to_the_versions(admin_client):
    pk = KpiGoal.objects.get(kpi="ltv_cac").pk
    url = admin_client.get(f"{LIST}{pk}/history/").url
    assert url == "/admin/operational/kpis/ltv_cac/#goals-title"


@pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
def test_goals_cannot_be_added_or_deleted(admin_client, page):
    pk = KpiGoal.objects.first().pk
    assert admin_client.get(LIST + page.format(pk=pk)).status_code == 403


def test_staff_with_only_the_view_permission_cannot_save(client):
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_kpigoal"))
    client.force_login(user)
    pk = KpiGoal.objects.get(kpi="d7_retention").pk
    assert client.get(f"{LIST}{pk}/change/").status_code == 200
    assert client.post(f"{LIST}{pk}/change/", {"target": "90"}).status_code == 403


def test_readings_are_listed_and_read_only(admin_client, history):
    url = "/admin/operational/kpireading/"
    reading = KpiReading.objects.get(kpi="d7_retention", day="2026-03-31")
    assert "22.0 %" in as_text(admin_client.get(url, {"kpi": "d7_retention"}).content.decode())
    assert admin_client.get(f"{url}add/").status_code == 403
    assert admin_client.post(f"{url}{reading.pk}/change/", {"value": 1}).status_code == 403
