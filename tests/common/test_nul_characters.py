import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/admin/a%00b/", "/admin/analytics/person/?q=%00", "/admin/?%00=1", "/livez?a=b%00"]
)
def test_s12_a_path_or_query_with_it_is_refused(admin_client, path):
    assert admin_client.get(path).status_code == 400


@pytest.mark.parametrize("form", [{"username": "a\0b"}, {"a\0": "b"}])
def test_s12_a_form_with_it_is_refused(client, form):
    assert client.post("/admin/login/", form).status_code == 400
    encoded = "application/x-www-form-urlencoded"
    assert client.post("/admin/login/", "username=a%00", content_type=encoded).status_code == 400


def test_s12_an_api_answers_with_a_problem(admin_client):
    answer = admin_client.get("/api/analytics/persons/a%00b")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
