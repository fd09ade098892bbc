"""Asks DNS what receivers of mail ask about a sender's domain."""

from collections.abc import Callable

import dns.exception
import dns.resolver

from growth.calculations.mail import sender_domain
from growth.calculations.mail.sender_domain import DomainFinding, DomainVerdict

_SECONDS = 5.0  # for each question


class DnsResolver:
    """Reads TXT records, by default from the servers that this machine asks."""

    def __init__(self, server: str = "", port: int = 53) -> None:
        self._resolver = dns.resolver.Resolver(configure=not server)
        if server:
            self._resolver.nameservers, self._resolver.port = [server], port
        self._resolver.lifetime = _SECONDS

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name, none if it has none. Raise DNSException."""
        try:
            answer = self._resolver.resolve(name, "TXT", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        return [b"".join(record.strings).decode(errors="replace") for record in answer]


def check(domain: str, selector: str, resolver: DnsResolver) -> list[DomainFinding]:
    """Check SPF, DKIM and DMARC of a domain; DKIM only with a selector."""
    findings = [_answered("SPF", lambda: _spf(domain, resolver))]
    if selector:
        name = f"{selector}._domainkey.{domain}"
        findings.append(
            _answered("DKIM", lambda: sender_domain.check_dkim(name, resolver.texts(name)))
        )
    findings.append(_answered("DMARC", lambda: _dmarc(domain, resolver)))
    return findings


def _answered(subject: str, ask: Callable[[], DomainFinding]) -> DomainFinding:
    try:
        return ask()
    except dns.exception.DNSException as error:
        text = f"DNS did not answer ({type(error).__name__})"
        return DomainFinding(
            subject, DomainVerdict.PROBLEM, text, "Check the domain, and try again."
        )


def _spf(domain: str, resolver: DnsResolver) -> DomainFinding:
    texts = resolver.texts(domain)
    lookups = sum(_lookups(record, resolver, 0) for record in sender_domain.spf_records(texts))
    return sender_domain.check_spf(domain, texts, lookups=lookups)


def _lookups(record: str, resolver: DnsResolver, depth: int) -> int:
    """Return the DNS lookups of an SPF record with those of what it includes."""
    total = sender_domain.spf_lookups(record)
    if depth > sender_domain.MOST_SPF_LOOKUPS:
        return total
    for term in sender_domain.spf_terms(record):
        prefix, _, name = term.lstrip("+-~?").replace("redirect=", "include:").partition(":")
        if prefix == "include" and total <= sender_domain.MOST_SPF_LOOKUPS:
            for included in sender_domain.spf_records(resolver.texts(name)):
                total += _lookups(included, resolver, depth + 1)
    return total


def _dmarc(domain: str, resolver: DnsResolver) -> DomainFinding:
    """Check the domain's record; without one, that of the nearest parent."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        texts = resolver.texts("_dmarc." + ".".join(labels[start:]))
        if texts:
            return sender_domain.check_dmarc(domain, texts)
    return sender_domain.check_dmarc(domain, [])
