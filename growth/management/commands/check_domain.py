"""Check whether a domain is set up to send marketing e-mails."""

from email import message_from_bytes
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from common.commands import QuickCommand
from growth.calculations.mail import sender_domain
from growth.calculations.mail.sender_domain import DomainVerdict
from growth.suppression import domain_check
from growth.suppression.domain_check import DnsResolver


class Command(QuickCommand):
    help = "Check SPF, DKIM and DMARC of a sender's domain, and the headers of a sent message."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("domain", help="what is after the @ of PLUMBLINE_EMAIL_FROM")
        parser.add_argument(
            "--selector", default="", help="of the DKIM key: s= of DKIM-Signature in a message"
        )
        parser.add_argument(
            "--message", type=Path, help="a message as it was received, with all its headers"
        )
        parser.add_argument(
            "--server", default="", help="the DNS server to ask, such as 9.9.9.9 or 127.0.0.1:5300"
        )

    def handle(
        self, *_: Any, domain: str, selector: str, message: Path | None, server: str, **__: Any
    ) -> None:
        host, port = server.partition(":")[::2]
        domain = domain.rstrip(".").lower()
        try:
            resolver = DnsResolver(host, int(port or 53))
            findings = domain_check.check(domain, selector, resolver)
            if message:
                sent = message_from_bytes(message.read_bytes())
                findings += sender_domain.check_message(domain, sent)
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        for finding in findings:
            self.stdout.write(f"{finding.verdict.upper():8} {finding.subject}: {finding.text}")
            if finding.remedy:
                self.stdout.write(f"{'':8} {finding.remedy}")
        if not selector:
            self.stdout.write("DKIM was not checked: give its --selector.")
        if not message:
            self.stdout.write("Unsubscribe headers were not checked: give a sent --message.")
        problems = sum(finding.verdict is DomainVerdict.PROBLEM for finding in findings)
        if problems:
            raise CommandError(f"{problems} to fix.")
