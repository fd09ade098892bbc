"""Read the admin's responses."""


def text(response):
    """Return the content of a successful response, with single spaces."""
    assert response.status_code == 200
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return " ".join(content.decode().split())


def errors(response):
    """Return the errors of the form on an admin's page, by field."""
    return response.context["adminform"].form.errors
