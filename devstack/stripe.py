"""The fake Stripe of `make up`, unless the deployment has a Stripe account of its own."""

import os
import secrets
import sys

from devstack.data_dir import DataDir
from devstack.environment import is_set
from devstack.fake_stripe import TEST_KEY
from devstack.server import HOST, bind_error, free_port
from devstack.supervisor import Program

# Where Plumbline receives Stripe's events; the id must be that of billing's endpoint.
WEBHOOK_PATH = "/api/billing/stripe/webhook/6f1d3c0a-5b7e-4f57-9c1e-7f0c1d2b3a45/"


def fake_stripe(data: DataDir, address: str) -> Program | None:
    """Return the program that replaces Stripe, None if STRIPE_SECRET_KEY is set.

    Sets STRIPE_SECRET_KEY, STRIPE_API_BASE and STRIPE_WEBHOOK_SECRET for everything started
    afterwards. `address` is Plumbline's: the events are sent there.
    """
    if is_set("STRIPE_SECRET_KEY") or is_set("STRIPE_API_BASE"):
        return None
    kept = data.read("fake_stripe") or {"webhook_secret": f"whsec_{secrets.token_hex(24)}"}
    if bind_error(HOST, port := int(kept.get("port", "0"))) or not port:
        port = free_port()
    data.write("fake_stripe", kept | {"port": str(port)})
    os.environ["STRIPE_SECRET_KEY"] = TEST_KEY
    os.environ["STRIPE_API_BASE"] = f"http://{HOST}:{port}"
    os.environ["STRIPE_WEBHOOK_SECRET"] = kept["webhook_secret"]
    options = ["--port", str(port), "--webhook-url", address.rstrip("/") + WEBHOOK_PATH]
    options += ["--data", str(data.file("fake_stripe_objects.json"))]
    return Program("stripe", [sys.executable, "-m", "devstack.fake_stripe", *options])
