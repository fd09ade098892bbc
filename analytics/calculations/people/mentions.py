"""The texts by which persons are named, to find and remove them elsewhere."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from analytics.calculations.compression import decompress_leniently
from analytics.calculations.people.placeholders import is_illegal
from analytics.calculations.records import MAX_NAME
from analytics.calculations.stored_json import decode_text, decoded_or
from common.calculations.mailbox import lower_ascii

ERASED = "(erased)"

_AT = re.compile(r"(?<=[\w.+'-])(?:@|%40)(?=[\w-])")
_LOCAL_PART = re.compile(r"[\w.+'-]+")
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_LONGEST_PART = 320  # characters before and after the @, so that any text is searched quickly
_FILE_ENDING = re.compile(r"(?i)(\.(csv|gz|jsonl?|txt|zip))+$")
_WORDS = re.compile(r"[\w.@+-]+"), re.compile(r"[^\s\"'<>,;()\[\]{}]+")
# A short or numeric id is only an id in a field that holds ids.
_ID_FIELD = re.compile(r"(?i)(^|[_$ .-])(id|ids|user|owner|alias)$|[a-z]Ids?$|(distinct|user)id$")
_NAME_FIELD = re.compile(
    r"(?i)^(shipping\.|address\.|billing_address\.)*\$?"
    r"((first|last|full|middle|given|family|display|user|nick|individual|business)[ _-]?)?name$"
    r"|(^|[._])(phone|mobile)([ _-]?number)?$|(^|[._])(address|street|line1|line2)$"
)
_EMAIL_FIELD = re.compile(r"(?i)e-?mail")
_SHORTEST_NAME = 4
# Anyone can claim properties of a person, and each name or address is searched for everywhere.
_MOST = 100  # names, and addresses, in a JSON object about a person
_LONGEST_FIELD = 100  # characters of a field's name that are read, the last ones

# In JSON that may be invalid: what is between two quotes, and fields with a text or a number.
_QUOTE = re.compile(rb'(?<!\\)"')
_FIELD = re.compile(rb'"([^"]{1,200})"\s*:\s*(?:"((?:[^"\\]|\\.){1,1200})"|(-?\d{1,200}))')
_LONGEST = 6 * MAX_NAME  # bytes of an id in JSON, each character escaped


def is_distinctive(distinct_id: str) -> bool:
    """Whether an id is long enough to name its person wherever it stands alone in a text."""
    return len(distinct_id) >= 9 or (len(distinct_id) >= 6 and not distinct_id.isdigit())


@dataclass(frozen=True)
class Mentions:
    """Distinct ids and e-mail addresses (lower case) of persons, and names and similar texts.

    A name alone is not certain to be theirs: names are only removed next to an id or an address.
    """

    distinct_ids: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    names: frozenset[str] = field(default=frozenset(), repr=False)

    @cached_property
    def _distinctive(self) -> frozenset[str]:
        return frozenset(id_ for id_ in self.distinct_ids if is_distinctive(id_))

    @cached_property
    def needles(self) -> list[str]:
        """Texts in lower case of which a JSON or plain text that names a person contains some."""
        texts = {*self.distinct_ids, *self.emails}
        texts |= {quote(text) for text in texts}
        escaped = {json.dumps(text)[1:-1] for text in texts}
        escaped |= {json.dumps(text, ensure_ascii=False)[1:-1] for text in texts}
        return sorted({lower_ascii(text) for text in texts | escaped})

    def in_text(self, text: str) -> bool:
        return bool(self._spans(text))

    def in_json(self, value: Any, name: str = "") -> bool:
        """Whether a person is named in any text, or by a field that holds ids."""
        if isinstance(value, dict):
            return any(self.in_text(key) or self.in_json(row, key) for key, row in value.items())
        if isinstance(value, list):
            return any(self.in_json(row, name) for row in value)
        return self._is_mention(value, name)

    def in_payload(self, payload: bytes) -> bool:
        """Whether a person is named in what was received, valid or not, compressed or not."""
        if not self.distinct_ids.isdisjoint(ids_in(payload)):
            return True
        return self.in_text(decompress_leniently(payload).decode(errors="replace"))

    def cleaned_text(self, text: str) -> str:
        """Return the text with what names a person replaced, or unchanged."""
        spans = self._spans(text)
        if not spans:
            return text
        for span in sorted(spans, key=len, reverse=True):
            text = text.replace(span, ERASED)
        for name in sorted(self.names, key=len, reverse=True):
            text = text.replace(name, ERASED)
        return text

    def cleaned_json(self, value: Any) -> Any:
        """Return JSON in which texts that name a person are null, or the same if none does."""
        return self.without(value) if self.in_json(value) else value

    def without(self, value: Any) -> Any:
        """Return JSON that is about a person in which its ids, addresses and names are null."""
        return self._cleaned(value, "")

    def _cleaned(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {
                key: self._cleaned(row, key) for key, row in value.items() if not self.in_text(key)
            }
        if isinstance(value, list):
            rows = ((row, self._cleaned(row, name)) for row in value)
            return [row for before, row in rows if row is not None or before is None]
        is_name = isinstance(value, str) and any(text in value for text in self.names)
        return None if is_name or self._is_mention(value, name) else value

    def _is_mention(self, value: Any, name: str) -> bool:
        if isinstance(value, bool) or not isinstance(value, str | int):
            return False
        text = str(value)
        if text in self.distinct_ids and (is_distinctive(text) or _ID_FIELD.search(name)):
            return True
        return isinstance(value, str) and self.in_text(value)

    def _spans(self, text: str) -> set[str]:
        """Return the parts of a text that are an id or an address."""
        spans = set[str]()
        if "@" in text or "%40" in text:
            addresses = (_FILE_ENDING.sub("", part) for part in _addresses_in(text))
            spans = {part for part in addresses if lower_ascii(unquote(part)) in self.emails}
        words = {word.strip(".") for pattern in _WORDS for word in pattern.findall(text)}
        return spans | (words & self._distinctive)

    def __or__(self, other: "Mentions") -> "Mentions":
        return Mentions(
            self.distinct_ids | other.distinct_ids,
            self.emails | other.emails,
            self.names | other.names,
        )


def _addresses_in(text: str) -> Iterator[str]:
    """Yield what looks like an e-mail address: at each @ what is before and after it."""
    for at in _AT.finditer(text):
        before = text[max(0, at.start() - _LONGEST_PART) : at.start()][::-1]
        local = _LOCAL_PART.match(before)
        domain = _DOMAIN.match(text, at.end(), at.end() + _LONGEST_PART)
        if local and domain:
            yield text[at.start() - local.end() : domain.end()]


def _is_address(text: str) -> bool:
    return text in _addresses_in(text)


def ids_in(payload: bytes) -> set[str]:
    """Return the texts in a payload that may be distinct ids; it need not be valid JSON."""
    plain = decompress_leniently(payload)
    quoted = {text for text in _QUOTE.split(plain) if 0 < len(text) <= _LONGEST}
    ids = {text for text in map(_decoded, quoted) if is_distinctive(text)}
    for name, text, number in _FIELD.findall(plain):
        if _ID_FIELD.search(name.decode(errors="replace")):
            ids.add(number.decode() or _decoded(text))
    return {id_ for id_ in ids if 0 < len(id_) <= MAX_NAME}


def _decoded(text: bytes) -> str:
    return decoded_or(decode_text, b'"' + text + b'"', "")


def mentions_of(distinct_ids: Iterable[str], facts: Iterable[Any]) -> Mentions:
    """Return what names a person, given its ids and JSON objects about it, such as properties."""
    ids = frozenset(id_ for id_ in distinct_ids if not is_illegal(id_))
    emails, names = {id_ for id_ in ids if _is_address(id_)}, set[str]()
    for fact in facts:
        its_emails, its_names = _named_in(fact)
        emails |= its_emails
        names |= its_names
    return Mentions(ids, frozenset(lower_ascii(email) for email in emails), frozenset(names))


def _named_in(fact: Any) -> tuple[set[str], set[str]]:
    """Return the addresses and the names in a JSON object about a person, the first ones."""
    emails, names = set[str](), set[str]()
    for name, text in _texts(fact, ""):
        if _EMAIL_FIELD.search(name) and _is_address(text):
            emails |= {text} if len(emails) < _MOST else set()
        elif len(names) < _MOST and len(text) >= _SHORTEST_NAME and _NAME_FIELD.search(name):
            names.add(text)
    return emails, names


def _texts(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield the texts in JSON with the name of their field, or that of the one around it, cut."""
    if isinstance(value, dict):
        for key, row in value.items():
            yield from _texts(row, (f"{name}.{key}" if name else key)[-_LONGEST_FIELD:])
    elif isinstance(value, list):
        for row in value:
            yield from _texts(row, name)
    elif isinstance(value, str) and value.strip():
        yield name, value.strip()
