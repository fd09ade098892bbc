from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the tests that need schemathesis, which `make test-slow` loads."""
    if collection_path.name == "test_openapi.py" and not config.pluginmanager.hasplugin(
        "schemathesis"
    ):
        return True
    return None
