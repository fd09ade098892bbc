"""Parse the JSON bodies of API requests."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from common.calculations.json_reading import read_json


class StrictJSONParser(BaseParser):
    """Unlike the framework's, it accepts only what can be stored, and a name once, at any depth."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read()
        try:
            value = read_json(body)
            json.loads(body, object_pairs_hook=_distinct)
        except ValueError as error:
            raise ParseError(f"invalid JSON: {error}") from error
        return value


def _distinct(members: list[tuple[str, Any]]) -> None:
    """Refuse an object with two members of one name, of which readers take either."""
    counts = Counter(name for name, _ in members)
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise ValueError(f"{repeated[0]!r} is there twice")
