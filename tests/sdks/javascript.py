"""PostHog's JavaScript libraries, installed by `tests/sdk_js/package.json`."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT, environment

PACKAGES = ROOT / "tests" / "sdk_js"
MODULES = PACKAGES / "node_modules"
SCRIPT = MODULES / "posthog-js" / "dist" / "array.js"  # what PostHog's HTML snippet loads

needs_packages = pytest.mark.skipif(
    not (shutil.which("node") and MODULES.exists()),
    reason="Needs Node.js, and once: npm install --no-package-lock --prefix tests/sdk_js",
)


def start_node(script: str, **variables: str) -> subprocess.Popen[str]:
    """Start an ES module that can import the packages."""
    process = subprocess.Popen(
        ["node", "--input-type=module"],
        cwd=PACKAGES,
        env=environment() | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    process.stdin.write(script)
    process.stdin.close()
    return process


def run_node(script: str, **variables: str) -> str:
    """Run an ES module to its end and return what it printed."""
    with start_node(script, **variables) as process:
        output = process.stdout.read()
    assert process.returncode == 0, output
    return output


def browser_bundle(name: str) -> Path:
    """Return the path of a browser build of posthog-js."""
    return MODULES / "posthog-js" / "dist" / name
