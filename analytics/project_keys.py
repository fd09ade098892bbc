"""Project keys as the front door sees them: known tokens, what each may send, how much waits.

Every web process reads them anew every `TTL` seconds, so that revoking a key or changing its
limits takes that long at most.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

import psycopg
import redis
from django.conf import settings

TTL = 2.0  # seconds
_VALKEY_PAUSE = 5.0  # seconds without a rate limit after Valkey did not answer

_READ = """
SELECT key.token, key.id, key.rate_limit, key.daily_quota,
    CASE WHEN key.daily_quota IS NOT NULL THEN
        (SELECT coalesce(sum(events), 0) FROM analytics_capturehour
         WHERE project_key_id = key.id AND outcome = 'accepted'
           AND hour >= date_trunc('day', now(), 'UTC'))
      + (SELECT coalesce(sum(events), 0) FROM analytics_inboxrequest
         WHERE project_key_id = key.id AND received_at >= date_trunc('day', now(), 'UTC'))
    END
FROM analytics_projectkey AS key WHERE key.revoked_at IS NULL
"""

# At most that many requests wait; counting them would take longer the more there are.
_DEPTH = "SELECT coalesce(max(id) - min(id) + 1, 0) FROM analytics_inboxrequest"


@dataclass(slots=True)
class Key:
    """A key in use. `quota_left` counts events; None is no quota."""

    id: int
    rate_limit: int | None
    quota_left: int | None


@dataclass
class ProjectKeys:
    """The keys in use and the depth of the inbox, as of a moment ago."""

    inbox_depth: int = 0
    _keys: dict[str, Key] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, connection: psycopg.Connection, token: str) -> Key | None:
        """Return the key in use with a token; a new one is known at once."""
        if monotonic() - self._read_at > TTL and self._lock.acquire(blocking=False):
            try:
                self._read(connection)
            finally:
                self._lock.release()
        if token not in self._keys:
            with self._lock:
                self._read(connection)
        return self._keys.get(token)

    def forget(self) -> None:
        """Read them anew for the next request."""
        self._read_at = float("-inf")
        self._keys = {}

    def _read(self, connection: psycopg.Connection) -> None:
        cursor = psycopg.Cursor(connection)
        self._keys = {
            token: Key(key_id, rate_limit, None if quota is None else quota - int(used))
            for token, key_id, rate_limit, quota, used in cursor.execute(_READ)
        }
        (self.inbox_depth,) = cursor.execute(_DEPTH).fetchone() or (0,)
        self._read_at = monotonic()


@dataclass
class RateLimiter:
    """Counts each key's events of the current second in Valkey, for all web processes together."""

    _client: redis.Redis | None = None
    _paused_until: float = float("-inf")

    def allows(self, key: Key, events: int, now: datetime) -> bool:
        """Whether the key's limit was not reached yet. Without Valkey, capture goes on."""
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
