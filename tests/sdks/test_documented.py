"""The JavaScript in docs/capture.md delivers its events as written."""

import re

import pytest

from analytics.models import Event, Person
from tests import sdk
from tests.processes import ROOT, wait_until
from tests.sdks import servers
from tests.sdks.javascript import browser_bundle, needs_packages, run_node

pytestmark = needs_packages


def documented(library, server):
    text = (ROOT / "docs" / "capture.md").read_text()
    (code,) = (code for code in re.findall(r"```js\n(.*?)```", text, re.DOTALL) if library in code)
    return code.replace("http://localhost:8000", server).replace("<the capture key>", sdk.key())


def test_the_lines_for_nodejs_deliver_their_event(server):
    run_node(documented("posthog-node", server))
    sdk.ingest()
    assert Event.objects.get().event == "workflow_created"


def is_stored():
    sdk.ingest()
    return Event.objects.filter(event="workflow_created").exists()


@pytest.mark.browser
def test_the_lines_for_a_web_page_deliver_event_and_person(server, browser):
    code = documented("posthog-js", server).replace(
        "{ api_host",
        "{ opt_out_useragent_filter: true, api_host",  # otherwise events of bots are dropped
    )
    imports = '<script type="importmap">{"imports": {"posthog-js": "/posthog.js"}}</script>'
    with servers.pages() as shop, browser.new_page() as page:
        shop.add(
            "/posthog.js", browser_bundle("module.no-external.js").read_text(), "text/javascript"
        )
        shop.add("/", f'<!doctype html>{imports}<script type="module">{code}</script>')
        page.goto(shop.url)
        wait_until(is_stored)
    person = Person.objects.get(distinct_ids__distinct_id="ada@example.com")
    assert (person.is_identified, person.properties["plan"]) == (True, "pro")
