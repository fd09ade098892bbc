"""Import paths in strings, which import-linter does not see."""

import ast
import tomllib

import pytest
from django.utils.module_loading import import_string

from common.late import LateRegistry, late
from tests.processes import ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
APPS = CONTRACTS["contracts"][0]["layers"]  # each imports from those after it


def late_imports(app):
    """Return every path that the app passes to `late` or to `register`."""
    sources = [path.read_text() for path in (ROOT / app).glob("**/*.py")]
    calls = [
        node
        for source in sources
        if "late(" in source or "register(" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in {"late", "register"}
    ]
    texts = [argument for call in calls for argument in call.args if is_text(argument)]
    return {ast.literal_eval(text) for text in texts}


def is_text(node):
    """Return whether an argument is text; an f-string is too, and then cannot be evaluated."""
    return isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str)


@pytest.mark.parametrize("app", APPS)
def test_late_imports_resolve_and_follow_the_order_of_the_apps(app):
    paths = late_imports(app)
    importable = APPS[APPS.index(app) :]
    assert {path for path in paths if path.split(".")[0] not in importable} == set()
    for path in paths:
        import_string(path)


def test_the_late_imports_of_an_app_are_detected():
    assert {
        "billing.admin.sidebar.GROUPS",  # registered
        "billing.health.stripe",  # as the second argument
        "billing.revenue.ledger.stripe_changed",  # connected to a signal
        "common.api.serializers.as_json",  # in a command
    } <= late_imports("billing")


def test_a_late_function_is_imported_when_it_is_called():
    missing = late("common.no_such_module.function")
    with pytest.raises(ModuleNotFoundError):
        missing()


def test_a_registry_keeps_the_order_and_every_path_once():
    registry: LateRegistry[object] = LateRegistry()
    for path in ("common.late.late", "common.late.LateRegistry", "common.late.late"):
        registry.register(path)
    assert list(registry) == [late, LateRegistry]
