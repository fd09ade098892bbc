import pytest

from tests.growth.referrals import referring


@pytest.fixture
def inviter(db):
    """Ada, who signed up a day before noon and has the code ADA."""
    return referring.create_inviter()


@pytest.fixture
def offer(inviter):
    """A programme whose rewards go to a webhook, and Ada with her code."""
    programme = inviter.programme
    programme.reward, programme.webhook_url = "webhook", "http://127.0.0.1:9/"
    programme.save()
    return programme
