"""What an exclusion rule means, as the patterns that PostgreSQL compares values with.

A property has the rule's value in whichever way code sends it: true is also 1 and " True", 7 is
also "7.0", and a text has any case. An address is at a domain in Unicode or in Punycode, with or
without a name and brackets around it.
"""

import json
import re
from contextlib import suppress
from decimal import Decimal

import idna

Scalar = str | int | float | bool

_TRUTHS = {"true": True, "false": False}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_LONGEST_PATTERN = 1_000  # characters; a longer text is compared as it is
_SEPARATOR = re.compile(r"[\x1c-\x1f]")  # blanks for Python, but not for PostgreSQL
_SPECIAL = re.compile(r"([][\\.^$*+?(){}|])")
_AFTER_ADDRESS = r"""\.?[\s>"',;)]*$"""


def path_of_value(name: str, value: Scalar) -> str:
    """Return an SQL/JSON path that exists in properties of which `name` means a rule's value."""
    return f"strict $.{_quoted(name)} ? ({' || '.join(_conditions(_meant(value)))})"


def domain_pattern(domain: str, *, with_subdomains: bool) -> str:
    """Return a regular expression, without regard to case, of addresses at a domain."""
    forms = "|".join(map(_escaped, sorted(_forms_of(domain.strip().strip(".").lower()))))
    below = r"([^@\s]+\.)?" if with_subdomains else ""
    return f"@{below}({forms}){_AFTER_ADDRESS}"


def _conditions(value: Scalar) -> list[str]:
    if isinstance(value, str) and len(value) > _LONGEST_PATTERN:
        return [f"@ == {_quoted(value)}"]
    pattern = f"^\\s*({'|'.join(_texts(value))})\\s*$"
    equal = [f"@ == {_quoted(number)}" for number in _numbers(value)]
    return [*equal, f'@ like_regex {_quoted(pattern)} flag "i"']


def _quoted(value: Scalar) -> str:
    return json.dumps(value, ensure_ascii=False)


def _meant(value: Scalar) -> Scalar:
    """Return the truth or number that a text stands for, otherwise the text."""
    if not isinstance(value, str):
        return value
    text = value if _SEPARATOR.search(value) else value.strip()
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    return _number(text) if _NUMBER.fullmatch(text) else text


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _numbers(value: Scalar) -> list[Scalar]:
    """Return the JSON truths and numbers that a value means."""
    if isinstance(value, str):
        return []
    return [bool(value), int(value)] if value in {0, 1} else [value]


def _texts(value: Scalar) -> list[str]:
    """Return the patterns of the texts that a value means."""
    if isinstance(value, str):
        return [_escaped(value)]
    digits = format(Decimal(repr(value + 0)).normalize(), "f")
    zeros = "0*" if "." in digits else r"(\.0+)?"
    truths = [str(bool(value)).lower()] if value in {0, 1} else []
    return [*truths, _escaped(digits) + zeros]


def _forms_of(domain: str) -> set[str]:
    """Return a domain in Unicode and in Punycode; one that is neither stays as it is."""
    forms = {domain}
    with suppress(idna.IDNAError):
        forms.add(idna.encode(domain, uts46=True).decode())
    with suppress(idna.IDNAError):
        forms.add(idna.decode(domain, uts46=True))
    return forms


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
