"""What the backend says about a group, no claim changes or crowds out."""

import pytest

from analytics.calculations.people import bounds
from analytics.calculations.records import Proof
from analytics.ingestion.ingest import store
from analytics.models import Group
from tests.events import record

pytestmark = pytest.mark.django_db


def said(proof, **properties):
    about = {"$group_type": "company", "$group_key": "acme", "$group_set": properties}
    store([record("$groupidentify", properties=about, proof=proof)])
    return Group.objects.get()


@pytest.mark.parametrize("proof", [Proof.CLAIMED, Proof.VERIFIED])
def test_s02_a_claim_does_not_change_what_the_backend_said_of_a_group(proof):
    said(Proof.PROVED, tier="gold", seats=3)
    group = said(proof, tier="free", color="red")
    assert group.properties == {"tier": "gold", "seats": 3, "color": "red"}
    assert (group.proved, group.claimed) == ({"tier": "gold", "seats": 3}, {"tier": "free"})


def test_s02_what_the_backend_says_of_a_group_replaces_a_claim():
    said(Proof.CLAIMED, tier="free")
    assert said(Proof.PROVED, tier="gold").properties == {"tier": "gold"}


def test_s02_claims_leave_room_for_what_the_backend_says_of_a_group(monkeypatch):
    monkeypatch.setattr(bounds, "MAX_NAMES", 2)
    assert said(Proof.CLAIMED, a=1, b=2, c=3).refused == {"c": "too_many_names"}
    assert said(Proof.PROVED, tier="gold").properties == {"a": 1, "b": 2, "tier": "gold"}
