"""Every command in the documentation runs."""

import re
import shutil
import subprocess

import pytest

from analytics.capture import default_project_key
from analytics.inbox import Inbox
from analytics.models import Event
from tests.processes import ROOT, environment

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")])

pytestmark = pytest.mark.django_db(transaction=True)


def blocks(language):
    """Return each block of a language in the documentation, with the page it stands on."""
    return [
        pytest.param(code, id=f"{page.name}: {code.splitlines()[0][:40]}")
        for page in PAGES
        for code in re.findall(
            rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL
        )
    ]


@pytest.mark.parametrize("code", blocks("sh"))
def test_a_shell_block_runs_without_an_error(code, live_server, tmp_path):
    if "curl" in code and not shutil.which("curl"):
        pytest.skip("curl is not installed")
    (tmp_path / "manage.py").symlink_to(ROOT / "manage.py")
    code = code.replace("http://localhost:8000", live_server.url).replace("curl -sS", "curl -sSf")
    if "make " in code:  # that the targets work is what everything else here shows
        code = re.sub(r"^.*make ", f"make -C {ROOT} -n ", code, flags=re.MULTILINE)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("code", blocks("python"))
def test_a_python_block_delivers_its_events(code, live_server):
    code = code.replace("<the capture key>", default_project_key().token)
    names = {}
    exec(code.replace("http://localhost:8000", live_server.url), names)
    names["posthog"].shutdown()
    Inbox().process_batch()
    assert Event.objects.exists()


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)
def test_every_link_to_a_file_leads_somewhere(document):
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []
