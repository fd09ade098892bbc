"""May this person use more?"""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.privacy import erasure
from billing.limits import plans, reservations, usage, usage_limits
from billing.models import LimitException, Plan, UsageMeter, UsageReservation
from billing.stripe import gateway, idempotency
from tests.billing.limited_usage import NOW, ada, limit, price, ran

pytestmark = pytest.mark.django_db

LATER = NOW + reservations.RESERVED_FOR


def check(amount=1, *, meter="workflow_runs", now=NOW):
    return usage_limits.check("ada", meter, amount, now=now)


def reserve(amount=1, *, now=NOW, key=None, person="ada"):
    if key is not None:
        user, _ = User.objects.get_or_create(username="product")
        key = idempotency.IdempotencyKey(user.pk, key)
    return reservations.reserve(person, "workflow_runs", amount, now=now, idempotency_key=key)


def grant_exception(until, **options):
    LimitException.objects.create(
        distinct_id_id="ada", ends_on=date.fromisoformat(until), reason="Trial", **options
    )


def test_up_to_the_limit_is_allowed():
    limit(10)
    ran(7)
    assert [check(amount).allowed for amount in (3, 4)] == [True, False]


def test_over_a_soft_limit_everything_is_allowed():
    limit(10, hard=False)
    ran(30)
    assert check(1_000).allowed


def test_grace_is_allowed():
    limit(10, grace_percent=20)
    ran(11)
    assert [check(amount).allowed for amount in (1, 2)] == [True, False]


def test_a_plan_may_have_no_limit_on_a_meter(paying):
    ran(30)
    price("price_e", plan="enterprise")
    paying.subscribes(ada(), "price_e")
    answer = check(1_000_000)
    assert (answer.allowed, answer.meter_usage.limit) == (True, None)


def test_p40_an_upgrade_lifts_the_limit_at_once(paying):
    limit(10)
    ran(10)
    price("price_pro")
    denied = check()
    assert (denied.allowed, denied.suggested.slug) == (False, "pro")
    assert denied.upgrade_url == f"https://checkout.example/price_pro/{ada()}"
    paying.subscribes(ada(), "price_pro")
    assert check().allowed


def test_an_unmapped_price_is_reported_and_gives_the_default_plan(paying):
    ran()
    paying.subscribes(ada(), "price_of_old")
    account = usage_limits.account_of("ada", now=NOW)
    assert (account.plan.slug, account.unmapped_prices) == ("free", ["price_of_old"])


def test_an_exception_gives_a_plan_until_its_last_day():
    ran()
    grant_exception("2024-05-15", plan=Plan.objects.get(slug="team"))
    assert plans.plan_of(ada(), now=NOW).slug == "team"
    assert plans.plan_of(ada(), now=NOW + timedelta(days=1)).slug == "free"


def test_an_exception_raises_a_limit():
    limit(10)
    ran(10)
    grant_exception("2024-05-31", meter=UsageMeter.objects.get(slug="workflow_runs"), amount=12)
    assert [check(amount).allowed for amount in (2, 3)] == [True, False]


def test_an_exception_without_a_number_lifts_the_limit():
    limit(10)
    ran(10)
    grant_exception("2024-05-31", meter=UsageMeter.objects.get(slug="workflow_runs"))
    assert check(1_000).allowed


@pytest.mark.parametrize(
    ("person", "meter", "field"), [("bob", "events", "distinct_id"), ("ada", "eggs", "meter")]
)
def test_an_unknown_person_or_meter_is_named(person, meter, field):
    ran()
    with pytest.raises(usage_limits.UnknownName) as refused:
        usage_limits.check(person, meter, now=NOW)
    assert refused.value.field == field


def test_p39_reservations_are_taken_until_they_expire():
    limit(3)
    ran()
    assert [reserve(now=NOW).allowed for _ in range(3)] == [True, True, False]
    assert reserve(2, now=LATER).allowed


def test_p39_the_event_of_a_reservation_counts_once():
    limit(3)
    ran()
    reserve(2)
    ran(at=NOW - timedelta(minutes=1))
    usage = check().meter_usage.usage
    assert (usage.used, usage.reserved) == (2, 1)
    ran(at=NOW - timedelta(minutes=2))
    assert [check().allowed, check(now=LATER).allowed] == [False, False]


def test_p39_a_reservation_follows_its_person_through_a_merge():
    for person in ("ada", "laptop"):
        ran(event="seen", person=person)
    reserve(person="laptop")
    ran(event="$merge_dangerously", person="ada", other_id="laptop")
    assert check().meter_usage.usage.reserved == 1


def test_a_released_amount_is_available_again():
    limit(1)
    ran(event="seen")
    reservation = reserve().reservation
    assert not reserve().allowed
    assert [reservations.release(reservation.pk, now=NOW) for _ in "12"] == [True, False]
    assert reserve().allowed


def test_later_reservations_do_not_hold_a_released_amount():
    limit(2)
    ran(event="seen")
    first = reserve().reservation
    reserve()
    reservations.release(first.pk, now=NOW)
    ran()  # the event of the second
    usage = check().meter_usage.usage
    assert (usage.used, usage.reserved) == (1, 0)


def test_p39_the_used_part_of_a_released_reservation_stays_used():
    limit(10)
    ran(event="seen")
    first = reserve(3).reservation
    ran()  # one of the three
    reserve()
    reservations.release(first.pk, now=NOW)
    usage = check().meter_usage.usage
    assert (usage.used, usage.reserved) == (1, 1)


def test_a_person_erased_during_a_reservation_is_unknown(monkeypatch):
    ran()
    count = usage.usage_of

    def erasing(person_id, *args, **options):
        usage = count(person_id, *args, **options)
        erasure.erase([person_id])
        return usage

    monkeypatch.setattr(usage, "usage_of", erasing)
    with pytest.raises(usage_limits.UnknownName, match="ada"):
        reserve()


def test_an_idempotency_key_reserves_once():
    limit(10)
    ran(event="seen")
    first, again = reserve(4, key="k"), reserve(4, key="k")
    assert first.reservation == again.reservation
    assert check().meter_usage.usage.reserved == 4


def test_a_retry_of_a_granted_reservation_is_granted_with_nothing_left():
    limit(4)
    ran(event="seen")
    reserve(4, key="k")
    assert reserve(4, key="k").allowed
    assert not reserve(4, key="another").allowed


def test_s07_the_same_key_of_another_user_reserves_again(django_user_model):
    limit(10)
    ran(event="seen")
    users = [django_user_model.objects.create(username=name) for name in ("ada", "eve")]
    keys = [idempotency.IdempotencyKey(user.pk, "k") for user in [*users, *users]]
    held = [
        reservations.reserve("ada", "workflow_runs", 4, now=NOW, idempotency_key=key).reservation
        for key in keys
    ]
    assert held[0] != held[1]
    assert held[:2] == held[2:]


def test_b25_an_expired_reservation_is_checked_again():
    limit(10)
    ran(event="seen")
    assert reserve(10, key="k1").allowed
    assert reserve(10, key="k2", now=LATER).allowed
    assert not reserve(10, key="k1", now=LATER).allowed
    assert check(now=LATER).meter_usage.usage.reserved == 10


def test_b25_an_expired_reservation_that_still_fits_is_held_again():
    limit(10)
    ran(event="seen")
    reserve(4, key="k")
    again = reserve(4, key="k", now=LATER)
    assert again.reservation.expires_at == LATER + reservations.RESERVED_FOR
    assert check(now=LATER).meter_usage.usage.reserved == 4
    assert UsageReservation.objects.count() == 1


def test_b25_an_expired_reservation_whose_events_arrived_is_checked_again():
    limit(10)
    ran(event="seen")
    reserve(6, key="k")
    ran(6)
    assert not reserve(6, key="k", now=LATER).allowed


def test_b25_a_reservation_of_the_last_period_holds_nothing_in_this_one():
    limit(10)
    midnight = datetime(2024, 6, 1, tzinfo=UTC)
    ran(event="seen")
    reserve(10, key="k1", now=midnight - timedelta(minutes=1))
    assert reserve(10, key="k2", now=midnight).allowed
    assert not reserve(10, key="k1", now=midnight).allowed


def test_b25_an_expired_key_still_has_its_amount():
    ran(event="seen")
    reserve(4, key="k")
    with pytest.raises(idempotency.IdempotencyKeyReused, match="4, not 5"):
        reserve(5, key="k", now=LATER)


def test_an_idempotency_key_with_another_amount_is_refused():
    ran(event="seen")
    reserve(4, key="k")
    with pytest.raises(idempotency.IdempotencyKeyReused, match="4, not 5"):
        reserve(5, key="k")


def test_a_denied_key_is_checked_again():
    limit(1)
    ran()
    assert not reserve(key="k").allowed
    limit(2)
    assert reserve(key="k").allowed


def test_without_a_hard_limit_nothing_is_held():
    limit(1, hard=False)
    ran()
    assert reserve().reservation is None


def test_expired_reservations_are_deleted_after_a_day():
    ran(event="seen")
    reserve()
    reservations.delete_expired(LATER + timedelta(hours=23))
    assert UsageReservation.objects.exists()
    reservations.delete_expired(LATER + timedelta(hours=25))
    assert not UsageReservation.objects.exists()


@pytest.mark.parametrize("period", ["month", "billing", "lifetime"])
def test_a_check_takes_at_most_4_queries_including_stripes(
    paying, monkeypatch, django_assert_max_num_queries, period
):
    ran()
    UsageMeter.objects.update(period=period)
    price("price_pro")
    paying.subscribes(ada(), "price_pro", period=("2024-05-10", "2024-06-10"))
    count_gateway_queries(monkeypatch)
    with django_assert_max_num_queries(4):
        check()
    with django_assert_max_num_queries(4):
        usage_limits.account_of("ada", now=NOW)


def test_a_reservation_takes_4_statements(paying, monkeypatch):
    ran()
    count_gateway_queries(monkeypatch)
    with CaptureQueriesContext(connection) as counted:
        reserve()
    statements = [query["sql"] for query in counted if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 4


def count_gateway_queries(monkeypatch):
    """Let the gateway's call cost a query, as it does with stored Stripe objects."""
    answer = gateway.paid_items_of

    def counted(person_id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return answer(person_id)

    monkeypatch.setattr(gateway, "paid_items_of", counted)
