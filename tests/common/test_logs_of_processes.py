"""S11 in real processes: what they write to their terminal is what log collectors store."""

import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from devstack.up import web_command
from tests.processes import ROOT, environment, wait_until
from tests.sdks.servers import LOCAL

UNCAUGHT = """
import sys, threading, django
django.setup()
name = sys.argv[1]
def fail():
    {}[name]
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""
FAILING_TASK = """
import sys, django
django.setup()
from config.celery import app
app.log.setup(loglevel="INFO")
@app.task(name="failing")
def failing(name):
    {}[name]
failing.apply([sys.argv[1]])
"""


def output_of(code, *arguments):
    process = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=environment() | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    return process.stdout + process.stderr


@pytest.mark.django_db
def test_s11_an_error_that_ends_a_process_or_thread_is_logged_without_values():
    output = output_of(UNCAUGHT, "gr4ce")
    assert output.count("CRITICAL common.logs: Uncaught error") == 2
    assert "gr4ce" not in output


@pytest.mark.django_db
def test_s11_a_failing_task_is_logged_without_its_arguments():
    output = output_of(FAILING_TASK, "gr4ce")
    assert "Task failing[" in output
    assert "in failing" in output
    assert "gr4ce" not in output


@pytest.mark.django_db(transaction=True)
def test_s11_an_error_in_the_web_server_is_logged_without_values(tmp_path):
    with socket.create_server((LOCAL, 0)) as listener:
        port = listener.getsockname()[1]
    command = web_command(LOCAL, port, "tests.common.failing_web:application")
    log = tmp_path / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=stream, stderr=stream
        )
        try:
            wait_until(lambda: status(f"http://{LOCAL}:{port}/livez") == 200, log.read_text)
            assert status(f"http://{LOCAL}:{port}/fails/gr4ce?email=gr4ce") == 500
        finally:
            process.terminate()
            process.wait()
    assert "in application" in log.read_text()
    assert "gr4ce" not in log.read_text()


def status(address):
    try:
        with urllib.request.urlopen(address, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
