"""Real data sets next to the repository, imported once for all tests of a module."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings

from analytics.ingestion.importing import import_file

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def needed(*names: str) -> pytest.MarkDecorator:
    """Skip tests if the files are absent."""
    absent = [name for name in names if not (DATA / name).exists()]
    return pytest.mark.skipif(bool(absent), reason=f"../shared/data lacks {', '.join(absent)}")


@contextmanager
def imported(name: str, blocker, **definitions) -> Iterator[None]:
    """Import a file under the definitions (settings), and roll back at the end."""
    with override_settings(**definitions), blocker.unblock(), transaction.atomic():
        import_file(DATA / name)
        yield
        transaction.set_rollback(True)
