"""What is stored about a person as inviter or as referred person: erased and exported with it."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from analytics.privacy.data_stores import DataStore, NamingRows
from analytics.privacy.export import Section, columns_of
from analytics.privacy.traces import Traces
from billing.stripe.erasure import RowsOfPersons
from growth.models import Referral, ReferralCode, ReferralReward


class RowsOfBoth(DataStore):
    """Rows about an inviter and a referred person, which go with either of them."""

    def __init__(self, name: str, model: type[Referral | ReferralReward], referred: str) -> None:
        self.name, self._model, self._referred = name, model, referred
        self.columns = [f"{model._meta.db_table}.{referred}"]

    def count(self, traces: Traces) -> int:
        return self._rows(traces).count()

    def erase(self, traces: Traces) -> int:
        return self._rows(traces).delete()[0]

    def _rows(self, traces: Traces) -> QuerySet:
        persons = traces.person_ids
        return QuerySet(self._model).filter(
            Q(**{f"{self._referred}__person_id__in": persons})
            | Q(code__distinct_id__person_id__in=persons)
        )


PERSON_STORES: list[DataStore] = [
    RowsOfBoth("Referral rewards", ReferralReward, "referred"),
    RowsOfBoth("Referrals", Referral, "distinct_id"),
    RowsOfPersons("Referral codes", ReferralCode),
]

NAMING_STORES: list[DataStore] = [
    NamingRows("Reasons of referral rewards", ReferralReward, texts=["reason", "last_error"]),
]


def sections(person_id: int) -> Iterator[Section]:
    """Yield the kinds of data, each by its name; the other person is named by an id."""
    codes = ReferralCode.objects.filter(distinct_id__person_id=person_id)
    yield "referral_codes", columns_of(codes.order_by("pk"))
    for name, model, referred in (
        ("referrals", Referral, "distinct_id"),
        ("referral_rewards", ReferralReward, "referred"),
    ):
        own = Q(**{f"{referred}__person_id": person_id})
        yield (
            name,
            columns_of(
                QuerySet(model)
                .filter(own | Q(code__distinct_id__person_id=person_id))
                .order_by("pk")
            ),
        )
