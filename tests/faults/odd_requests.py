"""Malformed, broken and hostile capture requests, generated from a seed."""

import base64
import gzip
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

import zstandard

PATHS = "/batch/ /batch /e/ /i/v0/e /capture/ /track/ /engage /i/v1/analytics/events".split()
OTHER_PATHS = "/flags/ /array/{token}/config /array/\u00fc%00/config.js /array/x".split()

# JSON texts that replace valid values.
VALUES = [
    *b'null true false 0 -1 1 0.1 -0 {} [] "" [[]] {"a":{}} "0" "null" 1e15 1e400 -1e5000'.split(),
    *b"1e-5000 1e99999 18446744073709551616 1714521600 1714521600000 253402300800 1e17".split(),
    *(b"-62135596801", b"9" * 400, b"9" * 5_000, b"0." + b"1" * 5_000, b'"' + b"x" * 5_000 + b'"'),
    *(rb'"\u0000"', rb'"a\ud800b"', rb'"\udc00"', rb'"\\u0000\\ud800"', rb'"\uD83D\uDE00"'),
    *(b'"\xff\xfe"', b'"\xed\xa0\x80"', '"\u0663\u2028\U0001f600"'.encode(), b'"anonymous"'),
    *(b'"2024-05-01T10:00:00Z"', b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:59-12:00"'),
    *(b'"2024-02-30"', b'{"$set":{"a":1}}', b'["a",1,null]', b'{"":{"":""}}', b'{"a":1,"a":2}'),
    *(b"[" * depth + b"]" * depth for depth in (50, 400, 900, 940, 960, 980)),
    *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (90, 400, 940, 970)),
]
BROKEN = [*b'NaN Infinity 00 .5 "\\x" \' {"a" [1,] +1 tru'.split(), b'"\t"', b"[" * 5_000, b""]
NAMES = "$identify $create_alias $merge_dangerously $groupidentify $set used signed_up".split()
FIELDS = (
    "event distinct_id $distinct_id uuid timestamp offset properties $set $set_once $unset token"
    " $token api_key options session_id window_id sent_at batch"
).split()
PROPERTIES = (
    "distinct_id $anon_distinct_id alias token $process_person_profile $ignore_sent_at $set"
    " $set_once $unset $group_type $group_key $group_set plan $session_id"
).split()
HEADERS = "CONTENT_TYPE HTTP_CONTENT_ENCODING HTTP_ORIGIN HTTP_ACCESS_CONTROL_REQUEST_HEADERS"
HEADERS += " HTTP_POSTHOG_REQUEST_ID HTTP_POSTHOG_REQUEST_TIMESTAMP HTTP_POSTHOG_SDK_INFO"
HEADER_VALUES = [
    *("gzip", "deflate", "zstd", "br", "text/plain", "application/x-www-form-urlencoded", "*", "1"),
    *("2024-05-01T10:00:00Z", "9" * 5_000, "\xe9\xff", "a/b/c", "null", ",;=", "https://x.test"),
]
_TOO_MUCH = 21 * 1024 * 1024
BOMBS = [
    *(gzip.compress(filling * (_TOO_MUCH // len(filling))) for filling in (b"\0", b"1,", b"[")),
    zstandard.compress(bytes(100 * 1024 * 1024)),
    gzip.compress(b"[" + b"1," * 10_000_000 + b"1]"),
    gzip.compress(b'{"api_key":"%s","batch":[' + b"{}," * 6_500_000 + b"{}]}"),
]


@dataclass
class OddRequest:
    """A request; `headers` have WSGI's names."""

    body: bytes
    method: str = "POST"
    path: str = "/batch/"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def odd_requests(token: str, number: int, *, seed: int) -> Iterator[OddRequest]:
    """Yield the bombs, then this many random requests."""
    yield from map(OddRequest, BOMBS)
    maker = _Maker(random.Random(seed), token)
    for _ in range(number):
        yield maker.request()


class _Maker:
    def __init__(self, chance: random.Random, token: str) -> None:
        self.chance = chance
        self.token = token

    def sometimes(self, probability: float) -> bool:
        return self.chance.random() < probability

    def request(self) -> OddRequest:
        request = OddRequest(self._wrapped(self._body()), path=self.chance.choice(PATHS))
        if self.sometimes(0.02):
            request.path = self.chance.choice(OTHER_PATHS).format(token=self.token)
        if request.path.startswith("/i/v1") or self.sometimes(0.01):
            scheme = self.chance.choice(["Bearer", "bearer", "Bearer", "Basic", ""])
            request.headers["HTTP_AUTHORIZATION"] = f"{scheme} {self.token}"
        for _ in range(self.chance.randrange(3)):
            name = self.chance.choice(HEADERS.split())
            request.headers[name] = self.chance.choice(HEADER_VALUES)
        if self.sometimes(0.05):
            request.query = self._query()
        if self.sometimes(0.03):
            self._change_method(request)
        return request

    def _change_method(self, request: OddRequest) -> None:
        request.method = self.chance.choice(["GET", "GET", "OPTIONS", "PUT", "DELETE", "HEAD"])
        data = self.chance.choice([request.body, base64.b64encode(request.body)])[:8_000]
        request.query = f"data={quote_from_bytes(data)}"
        request.body = b""

    def _query(self) -> str:
        odd = ["beacon=1", "compression=gzip-js", "a&" * 200, "%ff%00=%zz", "data=" + "%41" * 99]
        return self.chance.choice([*odd, "_=1&" * 101, "=&=&;;", "ip=0&ver=1"])

    def _body(self) -> bytes:
        kind = self.chance.random()
        if kind < 0.05:
            return self.chance.randbytes(self.chance.randrange(300))
        if kind < 0.08:
            return self._value()
        events = [self._event() for _ in range(self.chance.randrange(1, 5))]
        listed = b"[%b]" % b",".join(events)
        if kind < 0.2:
            return listed
        if kind < 0.35:
            return events[0]
        fields = {"api_key": b'"%b"' % self.token.encode(), "batch": listed}
        if self.sometimes(0.1):
            fields[self.chance.choice(FIELDS)] = self._value()
        return _object(fields)

    def _event(self) -> bytes:
        number = self.chance.randrange(50)
        fields = {
            "event": b'"%b"' % self.chance.choice(NAMES).encode(),
            "distinct_id": b'"p%d"' % number,
            "token": b'"%b"' % self.token.encode(),
            "properties": self._properties(),
        }
        if self.sometimes(0.7):
            fields["timestamp"] = b'"2024-%02d-01T00:00:00Z"' % self.chance.randrange(1, 13)
        if self.sometimes(0.3):
            fields["uuid"] = b'"00000000-0000-4000-8000-%012d"' % self.chance.randrange(999)
        for _ in range(self.chance.choice([0, 0, 0, 1, 2])):
            fields[self.chance.choice(FIELDS)] = self._value()
        if self.sometimes(0.1):
            del fields[self.chance.choice(list(fields))]
        return _object(fields)

    def _properties(self) -> bytes:
        properties = {"plan": b'"pro"'}
        for _ in range(self.chance.choice([0, 0, 0, 1, 3])):
            properties[self.chance.choice(PROPERTIES)] = self._value()
        return _object(properties)

    def _value(self) -> bytes:
        value = self.chance.choice(BROKEN if self.sometimes(0.04) else VALUES)
        if self.sometimes(0.2):
            value = b'{"a":%b,"b":[%b]}' % (value, self.chance.choice(VALUES))
        return value

    def _wrapped(self, body: bytes) -> bytes:
        """Compress, encode or damage the body, or leave it unchanged."""
        if self.sometimes(0.0005):
            return self.chance.choice(BOMBS)
        kind = self.chance.randrange(20)
        if kind < 6:
            body = _WRAPS[kind](body)
        if self.sometimes(0.15):
            body = self._damaged(body)
        return body

    def _damaged(self, body: bytes) -> bytes:
        start = self.chance.randrange(len(body) + 1)
        end = start + self.chance.randrange(1, 20)
        change = self.chance.randrange(4)
        if change == 0:
            return body[:start]
        if change == 1:
            return body[:start] + self.chance.randbytes(3) + body[start + 3 :]
        if change == 2:
            return body[:start] + body[end:]
        return body[:end] + body[start:]


def _object(fields: dict[str, bytes]) -> bytes:
    return b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), fields[name]) for name in fields)


def _form(body: bytes) -> bytes:
    return b"data=" + quote_from_bytes(base64.b64encode(body)).encode()


def _twice(body: bytes) -> bytes:
    return gzip.compress(gzip.compress(body))


def _stored(body: bytes) -> bytes:
    return gzip.compress(body, 0) + b"and more"


_WRAPS: list[Callable[[bytes], bytes]] = [
    *(gzip.compress, zlib.compress, zstandard.compress),
    *(_form, _twice, _stored),
]
