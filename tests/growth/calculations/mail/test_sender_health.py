"""When sending pauses."""

import pytest

from growth.calculations.mail.sender_health import (
    DAY,
    HOUR,
    SenderVerdict,
    SendingCounts,
    crossings,
    verdict_of,
)

OK, WARN, PAUSE = SenderVerdict


@pytest.mark.parametrize(
    ("window", "sent", "complaints", "hard_bounces", "verdict"),
    [
        (HOUR, 1_000, 5, 0, WARN),  # 0.5 % exactly
        (HOUR, 1_001, 5, 0, OK),
        (HOUR, 1_000, 10, 0, PAUSE),  # 1 %
        (HOUR, 1_000, 9, 0, WARN),
        (HOUR, 200, 5, 0, PAUSE),
        (HOUR, 199, 5, 0, OK),  # too few sends
        (HOUR, 200, 4, 0, OK),  # 2 %, but too few events
        (DAY, 10_000, 15, 0, WARN),  # 0.15 %
        (DAY, 10_000, 14, 0, OK),
        (DAY, 10_000, 30, 0, PAUSE),  # 0.3 %
        (DAY, 10_000, 29, 0, WARN),
        (DAY, 1_000, 10, 0, PAUSE),
        (DAY, 999, 10, 0, OK),
        (DAY, 1_000, 9, 0, OK),
        (HOUR, 200, 0, 10, WARN),  # 5 %
        (HOUR, 200, 0, 9, OK),
        (HOUR, 200, 0, 20, PAUSE),  # 10 %
        (HOUR, 199, 0, 199, OK),
        (DAY, 1_000, 0, 25, WARN),  # 2.5 %
        (DAY, 1_000, 0, 24, OK),
        (DAY, 1_000, 0, 50, PAUSE),  # 5 %
        (DAY, 1_000, 0, 49, WARN),
        (HOUR, 0, 0, 0, OK),
        (DAY, 0, 20, 20, OK),  # events of what was sent earlier
    ],
)
def test_p51_sending_warns_and_pauses_at_its_thresholds(
    window, sent, complaints, hard_bounces, verdict
):
    counts = SendingCounts(window, sent, complaints, hard_bounces)
    assert verdict_of([counts]) is verdict


def test_the_worst_window_decides_and_comes_first():
    counts = [SendingCounts(HOUR, 1_000, 5, 0), SendingCounts(DAY, 1_000, 0, 50)]
    assert [crossing.verdict for crossing in crossings(counts)] == [PAUSE, WARN]
    assert verdict_of(counts) is PAUSE
    assert crossings(counts)[0].share == 0.05
