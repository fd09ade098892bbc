"""Raw Stripe objects from a file: each stored, ignored for a reason, held or refused."""

import gzip
import io
import json
import random
from collections import Counter

import pytest
from django.core.management import CommandError, call_command

from billing.calculations.loaded_lines import LoadOutcome
from billing.models import HeldObject, MrrMovement, StripeEvent
from billing.revenue import ledger_check
from billing.stripe import gateway, loading
from tests.billing.stripe_json import at, event, item, price, subscription
from tests.real_data import DATA, needed

pytestmark = pytest.mark.django_db
FILE = "stripe_objects/stripe_objects.jsonl.gz"


def load(*objects):
    return loading.load(row if isinstance(row, str | bytes) else json.dumps(row) for row in objects)


def outcomes(*objects):
    return [line.outcome for line in load(*objects)]


def real():
    with gzip.open(DATA / FILE, "rt") as file:
        return [json.loads(line)["payload"] for line in file]


def oracle():
    return json.loads((DATA / "stripe_objects" / "oracle.json").read_text())


def about(payload):
    return payload["data"]["object"] if payload["object"] == "event" else payload


@needed(FILE)
def test_each_real_object_has_an_outcome_and_a_reason():
    loaded = load(*real())
    assert len(loaded) == oracle()["lines"]
    for line in loaded:
        assert bool(line.reason) == (
            line.outcome not in {LoadOutcome.STORED, LoadOutcome.UNCHANGED}
        ), line
    assert ledger_check.check() == []


@needed(FILE)
def test_the_oracle_s_counts_are_reproduced():
    payloads = real()
    loaded = load(*payloads)
    expected = oracle()
    events = {line.number for line in loaded if line.kind in expected["event_types"]}
    assert {"object": len(loaded) - len(events), "webhook_event": len(events)} == expected[
        "by_kind"
    ]
    kinds = Counter(line.kind for line in loaded if line.number in events)
    assert kinds == expected["event_types"]
    objects = Counter(about(payloads[line.number - 1])["object"] for line in loaded)
    assert objects == expected["by_object"]


@needed(FILE)
def test_every_real_subscription_is_stored_or_refused_by_name():
    payloads = real()
    loaded = {line.number: line for line in load(*payloads)}
    for row in oracle()["subscriptions"]:
        line = loaded[row["line"]]
        assert line.outcome != LoadOutcome.REFUSED or "another event has the id" in line.reason
        assert gateway.stored("subscription", row["id"])


@needed(FILE)
def test_loading_again_in_another_order_gives_the_same_ledger():
    payloads = real()
    load(*payloads)
    before = _everything()
    random.Random(3).shuffle(payloads)
    load(*payloads)
    assert _everything() == before


def _everything():
    rows = MrrMovement.objects.order_by("customer_id", "day", "currency")
    held = HeldObject.objects.order_by("customer_id", "stripe_id", "reason")
    return (
        list(rows.values_list("customer_id", "day", "kind", "amount", "closing")),
        list(held.values_list("customer_id", "stripe_id", "reason")),
        StripeEvent.objects.count(),
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line: invalid JSON"),
        ("[]", "object: is missing"),
        ('{"object": "customer"}', "id: is missing"),
        ('{"object": "customer", "id": 7}', "id: 7 is not an id"),
        (
            '{"object": "customer", "id": "cus_\\u0000"}',
            "line: invalid JSON: contains the character U+0000",
        ),
        ('{"object": "subscription", "id": "sub_1"}', "customer: is missing"),
        ('{"object": "refund", "id": "re_1", "charge": "ch_1", "amount": 1.5}', "amount: 1.5"),
        (
            '{"object": "event", "id": "evt_1", "type": "x", "created": 1}',
            "data.object: is missing",
        ),
        (
            '{"object": "event", "id": "evt_1", "type": "x", "data": {"object": {"object": "y"}}}',
            "created: is missing",
        ),
    ],
)
def test_an_invalid_line_is_refused_by_field(line, reason):
    (refused,) = load(line)
    assert refused.outcome == LoadOutcome.REFUSED
    assert refused.reason.startswith(reason)


def test_an_invalid_line_does_not_affect_others():
    assert outcomes("{", subscription(), "nonsense") == [
        LoadOutcome.REFUSED,
        LoadOutcome.STORED,
        LoadOutcome.REFUSED,
    ]


def test_a_subscription_without_items_is_held_with_a_reason():
    incomplete = subscription() | {"items": {"object": "list", "data": []}}
    (line,) = load(incomplete)
    assert (line.outcome, line.reason) == (LoadOutcome.HELD, "items: are missing")


def test_b26_a_second_load_names_held_objects_again():
    row = subscription(items={"data": []})
    first, second = load(row), load(row)
    assert [(line.outcome, line.reason) for line in first + second] == [
        (LoadOutcome.HELD, "items: are missing")
    ] * 2


def test_b26_a_second_load_names_a_refund_without_its_charge_again():
    row = {"object": "refund", "id": "re_1", "charge": "ch_1", "amount": 100, "currency": "usd"}
    first, second = load(row | {"created": 1_700_000_000}), load(row | {"created": 1_700_000_000})
    assert [line.outcome for line in first + second] == [LoadOutcome.HELD] * 2


def test_p16_an_older_event_loaded_later_changes_nothing():
    old, new = subscription(item(price(1000))), subscription(item(price(3000)))
    created = event("created", "2024-01-01", old)
    updated = event("updated", "2024-01-05", new)
    load(updated)
    load(created)
    assert gateway.stored("subscription", old["id"]) == new


def test_another_event_with_the_same_id_is_refused():
    first = event("created", "2024-01-01", subscription())
    other = event("updated", "2024-01-02", subscription()) | {"id": first["id"]}
    assert outcomes(first, other) == [LoadOutcome.STORED, LoadOutcome.REFUSED]


def test_test_events_of_the_dashboard_share_an_id_but_are_distinguished():
    first = event("created", "2024-01-01", subscription()) | {"id": "evt_00000000000000"}
    other = event("updated", "2024-01-02", subscription()) | {"id": "evt_00000000000000"}
    assert outcomes(first, other, first) == [
        LoadOutcome.STORED,
        LoadOutcome.STORED,
        LoadOutcome.UNCHANGED,
    ]


def test_the_same_version_wins_in_any_order():
    first_version, other = subscription(), subscription(status="past_due")
    first, second = load(first_version, other), load(other, first_version)
    assert {line.outcome for line in first} == {LoadOutcome.STORED, LoadOutcome.IGNORED}
    kept = gateway.stored("subscription", "sub_1")
    assert kept == [first_version, other][first[0].outcome == LoadOutcome.IGNORED]
    assert sum(line.outcome == LoadOutcome.IGNORED for line in second) == 1


def test_a_file_may_be_plain_or_compressed(tmp_path):
    plain, compressed = tmp_path / "objects.jsonl", tmp_path / "objects.jsonl.gz"
    text = json.dumps(subscription()) + "\n{\n"
    plain.write_text(text)
    compressed.write_bytes(gzip.compress(text.encode()))
    for file, word in ((plain, "stored"), (compressed, "unchanged")):
        out = io.StringIO()
        call_command("load_stripe_objects", str(file), stdout=out)
        assert word in out.getvalue()
        assert "refused  (1: line 2): line: invalid JSON" in out.getvalue()


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(CommandError, match=r"nothing\.jsonl"):
        call_command("load_stripe_objects", str(tmp_path / "nothing.jsonl"))


def test_an_event_keeps_its_time():
    load(event("created", "2024-01-01", subscription()))
    assert StripeEvent.objects.get().happened_at.timestamp() == at("2024-01-01")
