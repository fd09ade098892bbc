"""`make up`: servers, database, demo data, then web, ingest, worker and beat until Ctrl-C."""

import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

from devstack.data_dir import ROOT, DataDir
from devstack.errors import DevstackError
from devstack.processes import child_options
from devstack.server import bind_error
from devstack.services import provide_services
from devstack.stripe import fake_stripe
from devstack.supervisor import Program, Supervisor
from devstack.terminal import say, step

_WSGI = "config.wsgi:application"


def up() -> None:
    """Run everything until SIGINT, SIGTERM or SIGHUP, then stop it in order."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    data = DataDir()
    host, port = os.environ.get("PLUMBLINE_HOST") or "127.0.0.1", _port()
    address = os.environ.get("PLUMBLINE_URL") or f"http://localhost:{port}"
    _claim(data, host, port, address)
    say(f"Data directory: {data.path}")
    try:
        with step("Starting PostgreSQL and Valkey", "PostgreSQL and Valkey started"):
            servers = provide_services(data.path, durable=True)
        stripe = fake_stripe(data, address) if _wants_demo() else None
        supervisor = Supervisor([*_stages(host, port), [stripe] if stripe else []], servers)
        login = ""
        try:
            if stripe:
                supervisor.start(stripe)  # before the demo company, which may call it
            login = _prepare_database()
            with step("Starting Plumbline", "Web, ingest, worker, beat and watchdog started"):
                while not _answers(host, port, address):
                    supervisor.step()
            say(_welcome(address, login))
            login = ""
            while True:
                supervisor.step()
        finally:
            say(login)  # the new password is printed once, so an early Ctrl-C must not hide it
            supervisor.stop()
    except KeyboardInterrupt:
        say("Stopping the servers")


def _claim(data: DataDir, host: str, port: int, address: str) -> None:
    """Fail before anything is started if it cannot work. The claim ends with this process."""
    if not data.lock("up").try_exclusive():
        raise DevstackError(
            f"Plumbline is already running with {data.path}; see {data.read('up').get('address')}\n"
            "To run another one, set both PLUMBLINE_DATA_DIR and PLUMBLINE_PORT."
        )
    if error := bind_error(host, port):
        raise DevstackError(_advice(host, port, error))
    data.write("up", {"address": address})


def _advice(host: str, port: int, error: OSError) -> str:
    """Return why nothing can listen at an address, and what to set instead."""
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return (
            f"PLUMBLINE_HOST: {host!r} is not an IPv4 address of this machine: {error.strerror}.\n"
            "Use 127.0.0.1, or 0.0.0.0 to listen on every address: PLUMBLINE_HOST=0.0.0.0 make up"
        )
    reason = "another program uses it" if error.errno == errno.EADDRINUSE else error.strerror
    other = port + 1 if port >= 1024 else 8000  # the low ones are the administrator's
    return (
        f"Port {port} of {host} is not available: {reason}.\n"
        f"Choose another one: PLUMBLINE_PORT={other} make up"
    )


def _prepare_database() -> str:
    """Migrate and fill the database; return the administrator's login."""
    with step("Preparing the database", "Database ready"):
        _manage("migrate", "--noinput", "--verbosity", "0")
    if _wants_demo():
        with step("Loading the demo company", "") as loading:
            loading.result = _manage("demo", "--if-empty").strip()
    return _manage("ensure_admin")


def _wants_demo() -> bool:
    return os.environ.get("PLUMBLINE_DEMO", "1").lower() not in {"0", "false", "no", "off"}


def _stages(host: str, port: int) -> list[list[Program]]:
    """Return the programs; the web stops first, so that no request is left unprocessed."""
    python = sys.executable
    # Its warning against root concerns message formats that we do not use.
    celery = [python, "-W", "ignore:::celery.platforms", "-m", "celery", "--quiet", "-A", "config"]
    # Threads need 100 MB less than processes, which matters on a laptop, but ignore time limits.
    worker = ["worker", "--pool", "threads", "-c", "4", "--without-gossip", "--without-mingle"]
    return [
        # Only the web has children; it stops them when it is stopped.
        [Program("web", web_command(host, port), death_signal=signal.SIGTERM)],
        [
            Program("ingest", [python, "manage.py", "ingest"]),
            Program("worker", [*celery, *worker, "--loglevel", "INFO"]),
            Program("beat", [*celery, "beat", "--loglevel", "INFO"]),
            Program("watch", [python, "manage.py", "watch"]),
        ],
    ]


def web_command(host: str, port: int, application: str = _WSGI) -> list[str]:
    """Return the command that serves a WSGI application; the benchmarks serve others."""
    return [sys.executable, "-m", "web", application, "--host", host, "--port", str(port)]


def _manage(*arguments: str) -> str:
    """Run a management command to its end and return its output; errors go to our terminal."""
    result: subprocess.CompletedProcess[str] = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        check=False,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        **child_options(signal.SIGKILL),
    )
    if result.returncode:
        raise DevstackError(f"`manage.py {arguments[0]}` failed, see above.")
    return result.stdout


def _answers(host: str, port: int, address: str) -> bool:
    """Return whether the web answers a request for the login page, sent as a proxy would."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    public = urlsplit(address)
    headers = {"Host": public.netloc, "X-Forwarded-Proto": public.scheme}
    try:
        connection.request("GET", "/admin/login/", headers=headers)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(address: str, login: str) -> str:
    return f"""
Plumbline is ready.

  Dashboard  {address}/admin/operational/
  API        {address}/api/docs/
  Commands   {sys.executable} manage.py help

{login.strip()}

Press Ctrl-C to stop; `make up` resumes.
"""


def _port() -> int:
    text = os.environ.get("PLUMBLINE_PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DevstackError(f"PLUMBLINE_PORT: {text!r} must be a port number such as 8001.")
    return int(text)
