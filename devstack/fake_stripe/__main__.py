"""`STRIPE_WEBHOOK_SECRET=S python -m devstack.fake_stripe --port N --webhook-url URL`"""

import argparse
import os
import signal
from pathlib import Path
from threading import Event

from devstack.fake_stripe import TEST_KEY, FakeStripe


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m devstack.fake_stripe")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--webhook-url", required=True, help="where the events are sent")
    parser.add_argument("--data", type=Path, help="JSON file to store the state in")
    parser.add_argument("--seed", type=int, help="the same ids at every start")
    arguments = vars(parser.parse_args())
    # Not an argument: everyone on the machine can read command lines.
    secret = os.environ.get("STRIPE_WEBHOOK_SECRET") or parser.error("set STRIPE_WEBHOOK_SECRET")
    stripe = FakeStripe(webhook_secret=secret, **arguments)
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stripe.start(delivering=True)
    print(f"Test Stripe at {stripe.url} (key {TEST_KEY}); no real payments", flush=True)
    stopped.wait()
    stripe.stop()


if __name__ == "__main__":
    main()
