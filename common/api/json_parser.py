"""Parse the JSON bodies of API requests."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from common.calculations.json_reading import read_json


class StrictJSONParser(BaseParser):
    """Unlike the framework's, it accepts only what can be stored, at any depth."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            return read_json(stream.read())
        except ValueError as error:
            raise ParseError(f"invalid JSON: {error}") from error
