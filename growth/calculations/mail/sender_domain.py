"""What a domain's DNS records and a sent message say to the servers that receive its mail."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

UNSUBSCRIBE_HEADERS = ("list-unsubscribe", "list-unsubscribe-post")
MOST_SPF_LOOKUPS = 10  # RFC 7208, 4.6.4
_LOOKUPS = ("include:", "a", "mx", "ptr", "exists:", "redirect=")
_SHORTEST_RSA_KEY = 162  # bytes of a public key of 1,024 bits
_LONG_RSA_KEY = 290  # of 2,048 bits, a few less


class DomainVerdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class DomainFinding:
    """What was checked, what is there, and what to do about it ("" if nothing)."""

    subject: str
    verdict: DomainVerdict
    text: str
    remedy: str = ""


def _ok(subject: str, text: str) -> DomainFinding:
    return DomainFinding(subject, DomainVerdict.OK, text)


def _warning(subject: str, text: str, remedy: str) -> DomainFinding:
    return DomainFinding(subject, DomainVerdict.WARNING, text, remedy)


def _problem(subject: str, text: str, remedy: str) -> DomainFinding:
    return DomainFinding(subject, DomainVerdict.PROBLEM, text, remedy)


def spf_records(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text.lower().split(" ")[0] == "v=spf1"]


def spf_terms(record: str) -> list[str]:
    """Return the mechanisms and modifiers of an SPF record."""
    return record.lower().split()[1:]


def spf_lookups(record: str) -> int:
    """Return how many DNS lookups a record asks for itself, without those of its includes."""
    names = [term.lstrip("+-~?") for term in spf_terms(record)]
    return sum(
        any(
            name.startswith(prefix)
            if prefix[-1] in ":="
            else name.partition(":")[0].partition("/")[0] == prefix
            for prefix in _LOOKUPS
        )
        for name in names
    )


def check_spf(domain: str, texts: Sequence[str], *, lookups: int) -> DomainFinding:
    """Check the TXT records of a domain; `lookups` are those of its SPF record and its includes."""
    records = spf_records(texts)
    if not records:
        return _problem(
            "SPF",
            f"{domain} has no SPF record",
            f"Add a TXT record to {domain}, such as v=spf1 include:(your provider) -all.",
        )
    if len(records) > 1:
        return _problem(
            "SPF", f"{domain} has {len(records)} SPF records", "Merge them: several are an error."
        )
    terms = spf_terms(records[0])
    if any(term in {"all", "+all"} for term in terms):
        return _problem("SPF", f"{records[0]} allows everyone", "End it with -all or ~all.")
    if lookups > MOST_SPF_LOOKUPS:
        return _problem(
            "SPF",
            f"The record needs {lookups} DNS lookups, and receivers stop after {MOST_SPF_LOOKUPS}",
            "Remove includes of providers that you do not use.",
        )
    if not any(term in {"-all", "~all"} or term.startswith("redirect=") for term in terms):
        return _warning("SPF", f"{records[0]} refuses no server", "End it with -all or ~all.")
    return _ok("SPF", records[0])


def tags_of(text: str) -> dict[str, str]:
    """Return the tags of a DKIM or DMARC text by name, such as {"v": "DKIM1", "p": "..."}."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs}


def check_dkim(name: str, texts: Sequence[str]) -> DomainFinding:
    """Check the TXT records of a selector."""
    keys = [tags for tags in map(tags_of, texts) if "p" in tags]
    if not keys:
        return _problem(
            "DKIM",
            f"{name} has no key",
            "Add the record that your provider shows, and check the selector: s= of DKIM-Signature"
            " in a sent message.",
        )
    tags = keys[0]
    if not tags["p"]:
        return _problem("DKIM", f"The key of {name} is revoked (p= is empty)", "Publish a new one.")
    try:
        size = len(base64.b64decode(tags["p"], validate=True))
    except binascii.Error:
        return _problem("DKIM", f"The key of {name} is not valid base64", "Copy it again, whole.")
    return _check_key(name, tags, size)


def _check_key(name: str, tags: dict[str, str], size: int) -> DomainFinding:
    """Check a key of so many bytes."""
    is_rsa = tags.get("k", "rsa") == "rsa"
    if is_rsa and size < _SHORTEST_RSA_KEY:
        return _problem("DKIM", f"The key of {name} is too short", "Use one of 2,048 bits.")
    if is_rsa and size < _LONG_RSA_KEY:
        return _warning("DKIM", f"The key of {name} has 1,024 bits", "Use one of 2,048 bits.")
    if "y" in tags.get("t", "").split(":"):
        return _warning("DKIM", f"{name} is in test mode (t=y)", "Remove t=y.")
    return _ok("DKIM", f"{name} has a key")


def check_dmarc(domain: str, texts: Sequence[str]) -> DomainFinding:
    """Check the TXT records of _dmarc below a domain, or below its parent if it has none."""
    records = [tags for tags in map(tags_of, texts) if tags.get("v", "").upper() == "DMARC1"]
    if not records:
        return _problem(
            "DMARC",
            f"{domain} has no DMARC record, which mailbox providers require of bulk senders",
            f"Add a TXT record to _dmarc.{domain}: v=DMARC1; p=none; rua=mailto:(your address).",
        )
    if len(records) > 1:
        return _problem("DMARC", "There are several DMARC records", "Keep a single one.")
    policy = records[0].get("p", "").lower()
    if policy not in {"none", "quarantine", "reject"}:
        return _problem("DMARC", f"The policy p={policy} does not exist", "Use p=none or stricter.")
    if policy == "none":
        return _warning(
            "DMARC",
            "p=none: forged mail in your name is delivered",
            "Once the reports show only your own mail, use p=quarantine.",
        )
    if "rua" not in records[0]:
        return _warning("DMARC", f"p={policy}, without reports", "Add rua=mailto:(your address).")
    return _ok("DMARC", f"p={policy}")


def check_message(domain: str, message: Message) -> list[DomainFinding]:
    """Check that a sent message can be unsubscribed from in one click, and that DKIM covers it."""
    findings = []
    missing = [name for name in UNSUBSCRIBE_HEADERS if name not in message]
    if missing:
        return [
            _problem(
                "One-click",
                f"The message lacks {' and '.join(map(_title, missing))}",
                "Send marketing through Plumbline, and check that the provider keeps the headers.",
            )
        ]
    findings.append(_ok("One-click", "The message has both headers"))
    signatures = [tags_of(str(value)) for value in message.get_all("DKIM-Signature", [])]
    own = [tags for tags in signatures if is_aligned(tags.get("d", ""), domain)]
    if not own:
        text = f"No DKIM signature of {domain}"
        return [*findings, _problem("Signature", text, "Let the provider sign with your domain.")]
    covered = {name for tags in own for name in tags.get("h", "").lower().split(":")}
    uncovered = [name for name in UNSUBSCRIBE_HEADERS if name not in covered]
    if uncovered:
        return [
            *findings,
            _problem(
                "Signature",
                f"h= of the DKIM signature lacks {' and '.join(map(_title, uncovered))}",
                "Let the provider or mail server sign these headers: without it, mailbox providers"
                " ignore the button.",
            ),
        ]
    return [*findings, _ok("Signature", "DKIM signs both headers")]


def is_aligned(signing_domain: str, domain: str) -> bool:
    """Whether a signature's domain is that of the sender or a parent or child of it."""
    signer, own = signing_domain.lower().rstrip("."), domain.lower().rstrip(".")
    if "." not in signer:
        return False
    return signer == own or own.endswith(f".{signer}") or signer.endswith(f".{own}")


def _title(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))
