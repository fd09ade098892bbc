"""Project keys for the front door: their tokens and limits, and the depth of the inbox.

Every web process reads them again every `TTL` seconds, so that revoking a key or changing its
limits takes effect within that time.
"""

import hashlib
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

import psycopg
import redis
from django.conf import settings

from common.postgres import brief_transaction

TTL = 2.0  # seconds
_VALKEY_PAUSE = 5.0  # seconds without a rate limit after Valkey did not answer

_READ = """
SELECT token, id, kind = 'server', rate_limit, daily_quota
FROM analytics_projectkey WHERE revoked_at IS NULL
"""

_USED_TODAY = """
SELECT project_key_id, sum(events)::bigint FROM (
    SELECT project_key_id, events FROM analytics_capturehour
    WHERE outcome = 'accepted' AND hour >= %(today)s
    UNION ALL
    SELECT project_key_id, events FROM analytics_inboxrequest
    WHERE received_at >= %(today)s
) AS today
WHERE project_key_id = ANY(%(keys)s) GROUP BY project_key_id
"""

_NOTE_USE = """
UPDATE analytics_projectkey AS key SET last_used_at = used.minute
FROM (
    SELECT id, date_trunc('minute', used_at) AS minute FROM analytics_projectkey
    JOIN unnest(%s::bigint[], %s::timestamptz[]) AS use (id, used_at) USING (id)
    WHERE last_used_at IS NULL OR last_used_at < date_trunc('minute', used_at)
    FOR UPDATE OF analytics_projectkey SKIP LOCKED
) AS used
WHERE key.id = used.id
"""

# An upper bound of the waiting requests; counting them would take longer the more there are.
_DEPTH = "SELECT coalesce(max(id) - min(id) + 1, 0) FROM analytics_inboxrequest"


SERVER_PREFIX = "phs_"  # as PostHog's secret keys have


def is_server_token(token: str) -> bool:
    return token.startswith(SERVER_PREFIX)


def new_server_token() -> str:
    return SERVER_PREFIX + secrets.token_urlsafe(32)


def stored_token(token: str) -> str:
    """Return how a token is stored: that of a server key as its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest() if is_server_token(token) else token


@dataclass(slots=True)
class Key:
    """A key in use. `quota_left` counts events; None: no quota."""

    id: int
    is_server: bool
    rate_limit: int | None
    quota_left: int | None


@dataclass
class ProjectKeys:
    """The keys in use and the depth of the inbox, as last read."""

    inbox_depth: int = 0
    _keys: dict[str, Key] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, token: str, now: datetime) -> Key | None:
        """Return the key in use with a token; a new key works at once."""
        if monotonic() - self._read_at > TTL and self._lock.acquire(blocking=False):
            try:
                self._read(now)
            finally:
                self._lock.release()
        stored = stored_token(token)
        if stored not in self._keys:
            with self._lock:
                self._read(now)
        key = self._keys.get(stored)
        # The stored hash of a server key is not itself a key.
        return key if key and key.is_server == is_server_token(token) else None

    def forget(self) -> None:
        """Read the keys again for the next request."""
        self._read_at = float("-inf")
        self._keys = {}

    def _read(self, now: datetime) -> None:
        with brief_transaction() as cursor:
            keys = cursor.execute(_READ).fetchall()
            with_quota = [key_id for _, key_id, *_, quota in keys if quota is not None]
            used = used_today(cursor, with_quota, now)
            (self.inbox_depth,) = cursor.execute(_DEPTH).fetchone() or (0,)
        self._keys = {
            token: Key(
                key_id,
                is_server,
                rate_limit,
                None if quota is None else quota - used.get(key_id, 0),
            )
            for token, key_id, is_server, rate_limit, quota in keys
        }
        self._read_at = monotonic()


def used_today(cursor: psycopg.Cursor, key_ids: Sequence[int], now: datetime) -> dict[int, int]:
    """Return the number of events acknowledged this UTC day, by key; unused keys are absent."""
    if not key_ids:
        return {}
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    cursor.execute(_USED_TODAY, {"today": today, "keys": list(key_ids)})
    return dict(cursor.fetchall())


def note_use(cursor: psycopg.Cursor, used_at: Mapping[int, datetime]) -> None:
    """Store when keys were last used, to the minute; skip keys that another process is updating."""
    cursor.execute(_NOTE_USE, [list(used_at), list(used_at.values())])


@dataclass
class RateLimiter:
    """Counts each key's events of the current second in Valkey, for all web processes together."""

    _client: redis.Redis | None = None
    _paused_until: float = float("-inf")

    def allows(self, key: Key, events: int, now: datetime) -> bool:
        """Whether the key is below its limit. Without Valkey, all events are accepted."""
        if key.rate_limit is None or monotonic() < self._paused_until:
            return True
        if self._client is None:
            self._client = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=0.1, socket_connect_timeout=0.1
            )
        name = f"capture:{key.id}:{int(now.timestamp())}"
        try:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.incrby(name, events)
            pipeline.expire(name, 10)
            total, _ = pipeline.execute()
        except redis.RedisError:
            self._paused_until = monotonic() + _VALKEY_PAUSE
            return True
        return bool(total - events < key.rate_limit)
