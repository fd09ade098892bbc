"""Referrals of the persons of `dataset`: one in ten has a code, and one in fifty came with one."""

from django.db import connection, transaction

from growth.models import ReferralCode, ReferralProgram

_DISTINCT_IDS = """
INSERT INTO analytics_distinctid (distinct_id, person_id)
SELECT 'p' || id, id FROM analytics_person ON CONFLICT DO NOTHING
"""
# By the order of signups, every tenth person invites. Who follows every fifth of them came with the
# code of a person of the 36 days before.
_RANKED = """
WITH ranked AS (
    SELECT id, signup_at, row_number() OVER (ORDER BY signup_at) AS rank FROM analytics_person
)
"""
_CODES = f"""
{_RANKED}
INSERT INTO growth_referralcode (code, program_id, distinct_id, created_at)
SELECT 'C' || id, %s, 'p' || id, signup_at FROM ranked WHERE rank %% 10 = 0
"""
_REFERRALS = f"""
{_RANKED}
INSERT INTO growth_referral (distinct_id, code, clicked_at, signed_up_at, is_named, proved)
SELECT 'p' || referred.id, 'C' || inviter.id, referred.signup_at - interval '1 hour',
       referred.signup_at, true, false
FROM ranked AS referred JOIN ranked AS inviter
    ON inviter.rank = referred.rank - 1 - 10 * (referred.rank * 7 %% 2000)
WHERE referred.rank %% 50 = 1
"""


def fill() -> None:
    """Store the codes and referrals, unless they are there already."""
    if ReferralCode.objects.exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DISTINCT_IDS)
        program = ReferralProgram.objects.create(
            slug="bench", name="Bench", signup_url="https://app.example.com/signup"
        )
        cursor.execute(_CODES, [program.pk])
        cursor.execute(_REFERRALS, [])
    with connection.cursor() as cursor:
        for table in ("analytics_distinctid", "growth_referralcode", "growth_referral"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
