"""Pages of other apps about a person, which their page leads to.

An app registers its own in `AppConfig.ready`: analytics imports none of them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonLink:
    """`page` is the name of an address that takes a person's number."""

    title: str
    page: str


links: list[PersonLink] = []


def register(title: str, page: str) -> None:
    links.append(PersonLink(title, page))
