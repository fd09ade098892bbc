"""posthog-js in a real browser delivers from a page of a different origin."""

import json

import pytest

from analytics.calculations.people.identity_hash import identity_hash
from analytics.calculations.records import Proof
from analytics.capture import verified_identity
from analytics.ingestion.ingest import store
from analytics.models import Event, EventOutcome, Group, Person, PersonMerge
from tests import sdk
from tests.events import record
from tests.ledger import totals
from tests.processes import wait_until
from tests.sdks import servers
from tests.sdks.javascript import browser_bundle, needs_packages
from tests.sdks.servers import LOST

pytestmark = [pytest.mark.browser, needs_packages]

PAGE = """<!doctype html><title>Shop</title>
<script type="importmap">{"imports": {"posthog-js": "/posthog.js"}}</script>
<script type="module">
  import posthog from "posthog-js";
  window.posthog = posthog;
  posthog.init("KEY", {
    api_host: "HOST", opt_out_useragent_filter: true, autocapture: false,
    capture_pageleave: false, request_queue_config: { flush_interval_ms: 250 }, ...OPTIONS
  });
</script>"""


@pytest.fixture(params=["module.no-external.js"])
def shop(request):
    """A web shop's server, at a different origin from Plumbline's."""
    with servers.pages() as shop:
        shop.add("/posthog.js", browser_bundle(request.param).read_text(), "text/javascript")
        yield shop


@pytest.fixture
def page(browser):
    """A page without the dashboard's base URL."""
    with browser.new_page() as page:
        yield page


@pytest.fixture
def visit(page, shop):
    """Open the shop's page, whose posthog-js sends to a server."""

    def visit(server, **options):
        html = PAGE.replace("KEY", sdk.key()).replace("HOST", server)
        shop.add("/", html.replace("OPTIONS", json.dumps(options)))
        page.goto(shop.url)
        page.wait_for_function("window.posthog?.__loaded")
        return page

    return visit


def names():
    return sorted(Event.objects.values_list("event", flat=True))


def arrive(*events):
    """Wait for these events, and check that no others arrived."""

    def arrived():
        sdk.ingest()
        return len(names()) >= len(events)

    wait_until(arrived)
    assert names() == sorted(events)


@pytest.mark.parametrize("plain", [False, True], ids=["gzip", "plain"])
def test_each_event_from_load_to_unload_arrives_once(proxy, visit, plain):
    page = visit(proxy.url, disable_compression=plain, capture_pageleave=True)
    page.evaluate("posthog.capture('product_viewed')")
    arrive("$pageview", "product_viewed")
    page.evaluate("posthog.capture('cart_left')")
    page.goto("about:blank")  # queued events and $pageleave go with a beacon
    arrive("$pageview", "product_viewed", "cart_left", "$pageleave")
    assert totals()[EventOutcome.DUPLICATE] == 0


def test_identify_keeps_the_person_of_the_anonymous_visitor(proxy, visit):
    page = visit(proxy.url)
    arrive("$pageview")
    assert not Person.objects.get().has_profile
    page.evaluate("posthog.identify('ada', {plan: 'pro'}, {source: 'ad'})")
    arrive("$pageview", "$identify")
    person = Person.objects.get(is_identified=True, has_profile=True)
    assert (person.properties["plan"], person.properties["source"]) == ("pro", "ad")
    assert set(Event.objects.values_list("person_id", flat=True)) == {person.id}


def test_after_a_reset_the_next_visitor_is_another_person(proxy, visit):
    page = visit(proxy.url)
    page.evaluate("posthog.identify('ada'); posthog.capture('used'); posthog.reset()")
    page.evaluate("posthog.identify('ben'); posthog.capture('used')")
    arrive("$pageview", "$identify", "used", "$identify", "used")
    assert Person.objects.filter(is_identified=True).count() == 2


def test_alias_group_person_properties_and_exceptions_arrive(proxy, visit):
    page = visit(proxy.url, person_profiles="always")
    page.evaluate("""
        posthog.alias("ada");
        posthog.group("company", "acme", {plan: "pro"});
        posthog.setPersonProperties({plan: "pro"});
        posthog.captureException(new RangeError("out of ink"));
    """)
    arrive("$pageview", "$create_alias", "$groupidentify", "$set", "$exception")
    assert Group.objects.get().properties == {"plan": "pro"}
    person = Person.objects.get(distinct_ids__distinct_id="ada")
    assert (person.properties["plan"], person.distinct_ids.count()) == ("pro", 2)


def test_clicks_are_captured(proxy, visit):
    page = visit(proxy.url, autocapture=True)
    page.evaluate("document.body.innerHTML = '<button>Buy</button>'")
    page.wait_for_function("posthog.autocapture?.isEnabled")
    page.click("button")
    arrive("$pageview", "$autocapture")


@pytest.mark.parametrize("shop", ["module.js"], indirect=True)
def test_the_remote_configuration_loads(proxy, visit):
    page = visit(proxy.url)
    page.wait_for_function("window._POSTHOG_REMOTE_CONFIG")
    arrive("$pageview")
    assert page.evaluate("posthog.isFeatureEnabled('beta')") in {None, False}


@pytest.mark.parametrize("fault", [503, LOST])
def test_p02_an_event_resent_after_a_fault_counts_once(proxy, visit, fault):
    proxy.faults.append(fault)
    page = visit(proxy.url)
    page.evaluate("posthog.capture('product_viewed')")
    wait_until(lambda: proxy.captures >= 2)
    arrive("$pageview", "product_viewed")


def test_events_wait_for_a_server_that_is_down(proxy, visit, page):
    proxy.stop()
    with page.expect_event("requestfailed", lambda request: "/e/" in request.url):
        visit(proxy.url)
    proxy.start()
    arrive("$pageview")


def test_s02_a_signed_identify_merges_the_visitor_into_a_protected_person(proxy, visit):
    store([record("signed_up", "user-1", proof=Proof.PROVED)])
    secret = verified_identity.secret_of(verified_identity.current_secret())
    signature = identity_hash("user-1", secret.encode())
    page = visit(proxy.url)
    arrive("$pageview", "signed_up")
    page.evaluate(f"posthog.register({{$identity_hash: '{signature}'}})")
    page.evaluate("posthog.identify('user-1'); posthog.capture('used')")
    arrive("$identify", "$pageview", "signed_up", "used")
    assert Person.objects.count() == 1
    proved = Event.objects.filter(proved=True).values_list("event", flat=True)
    assert list(proved) == ["signed_up"]  # a signature proves who sends, not what is true
    page.evaluate("posthog.reset(); posthog.capture('left')")
    arrive("$identify", "$pageview", "left", "signed_up", "used")
    assert Event.objects.get(event="left").properties.get("$identity_hash") is None


def test_s02_an_unsigned_identify_does_not_merge_into_a_protected_person(proxy, visit):
    store([record("signed_up", "user-1", proof=Proof.PROVED)])
    page = visit(proxy.url)
    page.evaluate("posthog.identify('user-1')")
    arrive("$identify", "$pageview", "signed_up")
    assert Person.objects.count() == 2
    assert PersonMerge.objects.get().result == "protected"


# As in PostHog's documentation, shortened: the array that takes calls until the script is there.
SNIPPET = """<!doctype html><title>Shop</title>
<script>
  !function (t, e) {
    e._i = []; e.__SV = 1; window.posthog = e;
    e.init = function (token, options, name) {
      "capture identify".split(" ").forEach(function (call) {
        e[call] = function () { e.push([call].concat([].slice.call(arguments))); };
      });
      e._i.push([token, options, name]);
      var script = t.createElement("script");
      script.crossOrigin = "anonymous";
      script.async = true;
      script.src = options.api_host.replace(".i.posthog.com", "-assets.i.posthog.com")
        + "/static/array.js";
      t.head.appendChild(script);
    };
  }(document, window.posthog || []);
  posthog.init("KEY", {
    api_host: "HOST", opt_out_useragent_filter: true, autocapture: false,
    capture_pageleave: false, request_queue_config: { flush_interval_ms: 250 }
  });
  posthog.capture("product_viewed");
</script>"""


def test_a17_the_html_snippet_loads_the_script_from_us(server, page, shop):
    shop.add("/", SNIPPET.replace("KEY", sdk.key()).replace("HOST", server))
    page.goto(shop.url)
    page.wait_for_function("window.posthog?.__loaded")
    arrive("$pageview", "product_viewed")
