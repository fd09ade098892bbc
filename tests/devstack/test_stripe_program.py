"""The fake Stripe as a program, and when `make up` starts it."""

import os
import signal
import subprocess
import sys

import pytest
import stripe
from django.conf import settings

from billing.api.stripe_webhook import WEBHOOK_ID
from devstack.data_dir import DataDir
from devstack.fake_stripe import TEST_KEY
from devstack.fake_stripe.state import API_VERSION
from devstack.server import free_port
from devstack.stripe import WEBHOOK_PATH, fake_stripe
from tests.processes import ROOT

NAMES = ("STRIPE_SECRET_KEY", "STRIPE_API_BASE", "STRIPE_WEBHOOK_SECRET")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data directory, in an environment without Stripe that is restored afterwards."""
    for name in NAMES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    yield DataDir(tmp_path)
    for name in NAMES:
        os.environ.pop(name, None)


def test_the_environment_points_at_the_fake(data):
    program = fake_stripe(data, "http://localhost:8000")
    port = program.command[program.command.index("--port") + 1]
    assert os.environ["STRIPE_SECRET_KEY"] == TEST_KEY
    assert os.environ["STRIPE_API_BASE"] == f"http://127.0.0.1:{port}"
    assert os.environ["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")


def test_s13_its_secret_is_not_on_its_command_line(data):
    program = fake_stripe(data, "http://localhost:8000")
    assert os.environ["STRIPE_WEBHOOK_SECRET"] not in " ".join(program.command)


@pytest.mark.parametrize("name", ["STRIPE_SECRET_KEY", "STRIPE_SECRET_KEY_FILE"])
def test_with_the_key_of_a_real_account_it_is_not_started(data, name, monkeypatch):
    monkeypatch.setenv(name, "sk_test_of_a_real_account")
    assert fake_stripe(data, "http://localhost:8000") is None
    assert "STRIPE_API_BASE" not in os.environ


def test_its_address_and_secret_stay_the_same(data, monkeypatch):
    starts = []
    for _ in range(2):
        program = fake_stripe(data, "http://localhost:8000")
        starts.append((program.command, os.environ["STRIPE_WEBHOOK_SECRET"]))
        for name in NAMES:
            monkeypatch.delenv(name)
    assert starts[0] == starts[1]


def test_it_responds_until_it_is_stopped_and_keeps_its_objects(tmp_path, monkeypatch):
    file, port = tmp_path / "stripe.json", free_port()
    command = [sys.executable, "-m", "devstack.fake_stripe", "--port", str(port)]
    command += ["--webhook-url", "http://127.0.0.1:9/", "--data", str(file)]
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_test")
    monkeypatch.setattr(stripe, "api_base", f"http://127.0.0.1:{port}")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert TEST_KEY in process.stdout.readline()
        customer = stripe.Customer.create(api_key=TEST_KEY)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert customer.id in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_has_the_api_version_that_plumbline_requests():
    assert settings.STRIPE_API_VERSION == API_VERSION


def test_the_events_go_to_billings_endpoint():
    assert str(WEBHOOK_ID) in WEBHOOK_PATH
