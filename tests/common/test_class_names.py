"""A class name says what the class is, so that no two modules need the same one."""

import ast
from collections import defaultdict

from tests.processes import ROOT

APPS = "common analytics billing growth operational config devstack".split()
FRAMEWORK = {"Command", "Media", "Meta", "Migration"}  # Django requires these names


def classes():
    """Yield (name, path) of every class, nested ones too."""
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if path.parent.name not in {"migrations", "djstripe_migrations"}:
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.ClassDef) and node.name not in FRAMEWORK:
                        yield node.name, str(path.relative_to(ROOT))


def test_every_class_has_a_name_of_its_own():
    modules = defaultdict(list)
    for name, path in classes():
        modules[name].append(path)
    assert {name: paths for name, paths in modules.items() if len(paths) > 1} == {}
