"""Files of events, imported through the command."""

import json

import pytest
from django.core.management import call_command

LINE = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}


def jsonl(*events):
    return "\n".join(json.dumps(LINE | event) for event in events)


@pytest.fixture
def import_events(tmp_path, capsys):
    """Return a function that imports content through the command and returns what it prints."""

    def run(content, *options, name="events.jsonl"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        call_command("import_events", str(file), *options)
        return capsys.readouterr().out

    return run
