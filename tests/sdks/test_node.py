"""posthog-node delivers to the real web server, even if it is down, overloaded or refuses."""

import json

import pytest

from analytics.models import Event, EventOutcome, Group, Person, ProjectKey
from tests import sdk
from tests.ledger import totals
from tests.sdks.javascript import needs_packages, run_node, start_node
from tests.sdks.servers import LOST

pytestmark = needs_packages

EVENTS = list(range(30))

# Nothing is sent before the shutdown, which prints errors that persist. Retries come quickly.
CLIENT = """
import { PostHog } from "posthog-node";
const posthog = new PostHog("KEY", {
  host: "HOST", flushAt: 1000, flushInterval: 60_000, fetchRetryDelay: 10,
  fetch: (...request) => fetch(...request).catch((error) => {
    console.log("away");
    throw error;
  }),
  ...OPTIONS
});
// The library lets Node.js exit while it waits to retry, which no server would do.
const alive = setInterval(() => {}, 1000);
const capture = (properties) => posthog.capture({ distinctId: "ada", event: "used", properties });
"""
CAPTURE = f"for (let n = 0; n < {len(EVENTS)}; n++) capture({{ n }});\n"
SHUTDOWN = "\nawait posthog.shutdown();\nclearInterval(alive);\n"


@pytest.fixture(params=["v0", "v1"])
def mode(request):
    return request.param


def script(server, code, **options):
    client = CLIENT.replace("HOST", server).replace("KEY", sdk.key())
    return client.replace("OPTIONS", json.dumps(options)) + code + SHUTDOWN


def run(server, code, mode="v0", **options):
    """Run code with a client, and store what it delivered."""
    output = run_node(script(server, code, **options), POSTHOG_CAPTURE_MODE=mode)
    sdk.ingest()
    return output


def stored():
    return sorted(event.properties["n"] for event in Event.objects.filter(event="used"))


@pytest.mark.parametrize("plain", [False, True], ids=["gzip", "plain"])
def test_each_event_arrives_once(server, mode, plain):
    run(server, CAPTURE, mode, flushAt=7, disableCompression=plain)
    assert (stored(), totals()[EventOutcome.STORED]) == (EVENTS, len(EVENTS))


def test_identify_sets_the_profile(server, mode):
    run(
        server,
        """
        posthog.identify({ distinctId: "ada", properties: { plan: "free" } });
        posthog.identify({
          distinctId: "ada", properties: { $set: { plan: "pro" }, $set_once: { plan: "x", ref: 1 } }
        });
        """,
        mode,
    )
    person = Person.objects.get()
    assert (person.properties, person.is_identified) == ({"plan": "pro", "ref": 1}, True)


def test_alias_joins_the_alias_into_the_person_of_the_id(server, mode):
    code = 'posthog.alias({ distinctId: "ada", alias: "visitor" }); capture({ n: 1 });'
    run(server, code + 'posthog.capture({ distinctId: "visitor", event: "used" });', mode)
    assert Person.objects.count() == 1


def test_a_group_is_kept(server, mode):
    code = 'posthog.groupIdentify({ groupType: "company", groupKey: "acme", properties: PRO });'
    run(server, code.replace("PRO", '{ plan: "pro" }'), mode)
    assert Group.objects.get(group_type="company", group_key="acme").properties == {"plan": "pro"}


def test_an_exception_arrives_with_its_stack(server, mode):
    run(server, 'posthog.captureException(new RangeError("out of ink"), "ada");', mode)
    (exception,) = Event.objects.get(event="$exception").properties["$exception_list"]
    assert (exception["type"], exception["value"]) == ("RangeError", "out of ink")


def test_an_event_without_profile_is_kept(server, mode):
    run(server, "capture({ $process_person_profile: false });", mode)
    assert Event.objects.exists()
    assert not Person.objects.get().has_profile


def test_evaluating_flags_gives_none_and_is_not_an_error(server):
    code = """
        const flags = await posthog.evaluateFlags("ada");
        console.log(await posthog.getAllFlags("ada"), flags.isEnabled("beta"));
    """
    assert run(server, code) == "{} false\n"


@pytest.mark.parametrize("status", [503, 429])
def test_events_refused_temporarily_arrive_later(proxy, mode, status):
    proxy.faults.extend([status, status])
    run(proxy.url, CAPTURE, mode)
    assert (stored(), proxy.captures, totals()[EventOutcome.DUPLICATE]) == (EVENTS, 3, 0)


def test_p02_a_batch_resent_because_its_response_was_lost_counts_once(proxy, mode):
    proxy.faults.extend([LOST, LOST])
    run(proxy.url, CAPTURE, mode)
    assert (stored(), totals()[EventOutcome.DUPLICATE]) == (EVENTS, 2 * len(EVENTS))


def test_events_wait_for_a_server_that_is_down(proxy, mode):
    proxy.stop()
    code = script(proxy.url, CAPTURE, fetchRetryCount=500)
    with start_node(code, POSTHOG_CAPTURE_MODE=mode) as node:
        assert node.stdout.readline() == "away\n"
        proxy.start()
    sdk.ingest()
    assert stored() == EVENTS


def test_a_batch_of_more_than_20_mb_comes_in_halves(server):
    big = 'const big = "x".repeat(900_000);\n' + CAPTURE.replace("{ n }", "{ n, big }")
    run(server, big, disableCompression=True)
    assert (stored(), totals()[EventOutcome.DUPLICATE]) == (EVENTS, 0)


def test_over_v1_a_413_is_reported_and_not_retried(proxy):
    proxy.faults.append(413)
    print_errors = 'posthog.on("error", (error) => console.log(error.cause.message));\n'
    assert "HTTP 413" in run(proxy.url, print_errors + CAPTURE, "v1")
    assert (stored(), proxy.captures) == ([], 1)


def test_events_beyond_the_rate_limit_of_the_key_arrive_later(server, key, mode):
    ProjectKey.objects.update(rate_limit=10)
    retries = {"fetchRetryCount": 20, "fetchRetryDelay": 200}
    run(server, CAPTURE, mode, flushAt=10, maxBatchSize=10, **retries)
    assert stored() == EVENTS
    assert totals()[EventOutcome.LIMITED] >= 10
