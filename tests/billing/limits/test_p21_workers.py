"""P21: parallel workers notify a person once."""

import pytest
from django.db import connection

from analytics.models import DistinctId, Event
from billing.limits import usage_notices
from billing.models import UsageNotice
from tests.billing.limited_usage import NOW, identify, limit, ran
from tests.processes import fork, wait

pytestmark = pytest.mark.django_db(transaction=True)


def test_p21_parallel_workers_notify_a_person_once(settings):
    settings.PLUMBLINE_EMAIL_FROM = "hello@plumbline.example"
    limit(10)
    identify()
    ran(8)
    person_id = DistinctId.objects.get(pk="ada").person_id
    connection.close()
    pids = [fork(lambda: usage_notices.notify(person_id, now=NOW)) for _ in range(4)]
    assert [wait(pid) for pid in pids] == [0, 0, 0, 0]
    notice = UsageNotice.objects.get()
    assert (notice.email, notice.attempts) == (UsageNotice.Email.SENT, 1)
    assert Event.objects.filter(event="usage_limit_warning").count() == 1
