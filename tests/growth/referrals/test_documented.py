"""The code of docs/referrals.md checks real signatures."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from growth.referrals import sending
from tests.processes import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def is_from_plumbline():
    page = (ROOT / "docs" / "referrals.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_from_plumbline"]


def test_the_documented_code_accepts_a_signature_of_ours(offer, is_from_plumbline):
    header = sending.signature(offer, b"{}", at=timezone.now())
    assert is_from_plumbline(header, b"{}", sending.secret_of(offer))


def test_the_documented_code_accepts_the_earlier_secret_after_a_new_secret_key(
    offer, is_from_plumbline, settings
):
    secret = sending.secret_of(offer)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "x" * 50
    header = sending.signature(offer, b"{}", at=timezone.now())
    assert is_from_plumbline(header, b"{}", secret)


@pytest.mark.parametrize("change", ["body", "secret", "time"])
def test_the_documented_code_refuses_what_was_changed(offer, is_from_plumbline, change):
    at = timezone.now() - timedelta(minutes=6 if change == "time" else 0)
    header = sending.signature(offer, b"{}", at=at)
    body = b"[]" if change == "body" else b"{}"
    secret = "0" * 64 if change == "secret" else sending.secret_of(offer)
    assert not is_from_plumbline(header, body, secret)
