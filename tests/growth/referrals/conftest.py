import pytest

from tests.growth.referrals import referring


@pytest.fixture
def inviter(db):
    """Ada, who signed up a day before noon and has the code ADA."""
    return referring.create_inviter()


@pytest.fixture
def offer(inviter):
    """A program whose rewards go to a webhook, and Ada with her code."""
    program = inviter.program
    program.reward, program.webhook_url = "webhook", "http://127.0.0.1:9/"
    program.save()
    return program
