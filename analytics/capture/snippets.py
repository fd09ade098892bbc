"""Code to paste for sending events with a project key."""

import json
import shlex
from dataclasses import dataclass

from django.conf import settings

from analytics.rollups import definitions


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code to paste; `name` is unique on the page."""

    name: str
    title: str
    explanation: str
    code: str


# How backends sign a distinct id, and how the browser sends the signature.
IDENTITY_SNIPPETS = [
    Snippet(
        "sign-python",
        "Python",
        "In your backend, for the person who is logged in.",
        "import hashlib, hmac, os\n\n\n"
        "def identity_hash(distinct_id):\n"
        '    secret = os.environ["PLUMBLINE_IDENTITY_SECRET"].encode()\n'
        "    return hmac.new(secret, distinct_id.encode(), hashlib.sha256).hexdigest()",
    ),
    Snippet(
        "sign-node",
        "Node.js",
        "The same.",
        'const { createHmac } = require("node:crypto")\n\n'
        "const identityHash = (distinctId) =>\n"
        '  createHmac("sha256", process.env.PLUMBLINE_IDENTITY_SECRET)'
        '.update(distinctId).digest("hex")',
    ),
    Snippet(
        "sign-ruby",
        "Ruby",
        "The same.",
        'require "openssl"\n\n'
        "def identity_hash(distinct_id)\n"
        '  OpenSSL::HMAC.hexdigest("SHA256", ENV.fetch("PLUMBLINE_IDENTITY_SECRET"),'
        " distinct_id)\n"
        "end",
    ),
    Snippet(
        "sign-php",
        "PHP",
        "The same.",
        "<?php\n"
        "function identity_hash(string $distinct_id): string {\n"
        '    return hash_hmac("sha256", $distinct_id,'
        ' getenv("PLUMBLINE_IDENTITY_SECRET"));\n'
        "}",
    ),
    Snippet(
        "sign-go",
        "Go",
        "The same.",
        "package main\n\n"
        'import (\n\t"crypto/hmac"\n\t"crypto/sha256"\n\t"encoding/hex"\n\t"os"\n)\n\n'
        "func identityHash(distinctID string) string {\n"
        '\tmac := hmac.New(sha256.New, []byte(os.Getenv("PLUMBLINE_IDENTITY_SECRET")))\n'
        "\tmac.Write([]byte(distinctID))\n"
        "\treturn hex.EncodeToString(mac.Sum(nil))\n"
        "}",
    ),
    Snippet(
        "sign-browser",
        "In the browser",
        "With the signature from your backend, after logging in; at logout, reset.",
        "posthog.register({ $identity_hash: identityHash })\n"
        'posthog.identify("user-1")\n\n'
        "// at logout\n"
        "posthog.reset()",
    ),
]


def server_snippets() -> list[Snippet]:
    """Return ways to send events from a backend; the secret key comes from the environment."""
    host = json.dumps(settings.PLUMBLINE_URL)
    return [
        Snippet(
            "server-python",
            "In Python",
            "What your backend sends with this key is proved.",
            "# pip install posthog\n"
            "import os\n"
            "from posthog import Posthog\n\n"
            f'plumbline = Posthog(os.environ["PLUMBLINE_SERVER_KEY"], host={host})\n'
            'plumbline.set(distinct_id="user-1", properties={"email": "ada@example.com"})\n'
            'plumbline.capture("workflow_created", distinct_id="user-1")\n'
            "plumbline.flush()",
        ),
        Snippet(
            "server-node",
            "In Node.js",
            "The same.",
            "// npm install posthog-node\n"
            'import { PostHog } from "posthog-node"\n\n'
            f"const plumbline = new PostHog(process.env.PLUMBLINE_SERVER_KEY, {{ host: {host} }})\n"
            'plumbline.capture({ distinctId: "user-1", event: "workflow_created",\n'
            '  properties: { $set: { email: "ada@example.com" } } })\n'
            "await plumbline.shutdown()",
        ),
    ]


def sending_snippets(token: str) -> list[Snippet]:
    """Return ways to send events with a key, with this installation's address."""
    host, signup = settings.PLUMBLINE_URL, definitions.in_force().signup_event
    event = "page_viewed" if signup == definitions.FIRST_EVENT else signup
    body = json.dumps({"api_key": token, "event": event, "distinct_id": "user-1"})
    name, quoted_key, quoted_host = json.dumps(event), json.dumps(token), json.dumps(host)
    return [
        Snippet(
            "curl",
            "From a terminal",
            "Send one event to check that it works.",
            f"curl {shlex.quote(host + '/capture/')} \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d {shlex.quote(body)}",
        ),
        Snippet(
            "python",
            "From your backend, in Python",
            "Use PostHog's SDKs unchanged; only set Plumbline's host and key.",
            "# pip install posthog\n"
            "from posthog import Posthog\n\n"
            f"plumbline = Posthog({quoted_key}, host={quoted_host})\n"
            f'plumbline.capture({name}, distinct_id="user-1", properties={{"plan": "free"}})\n'
            "plumbline.flush()",
        ),
        Snippet(
            "javascript",
            "From your web app, in JavaScript",
            "Use the same SDK family in the browser.",
            "// npm install posthog-js\n"
            'import posthog from "posthog-js"\n\n'
            f"posthog.init({quoted_key}, {{ api_host: {quoted_host} }})\n"
            'posthog.identify("user-1", { email: "ada@example.com" })\n'
            f"posthog.capture({name})",
        ),
    ]
