"""`manage.py import_events` on a million events in JSON Lines."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

from django.core.management import call_command

from benchmarks import dataset

EVENTS = 1_000_000


def run(scale: float) -> None:
    dataset.use_database("bench_import")
    call_command("migrate", verbosity=0)
    dataset.empty()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "events.jsonl"
        print("Writing a file of events ...", flush=True)
        events = dataset.write_file(file, events=int(EVENTS * scale))
        start = perf_counter()
        command = [sys.executable, "manage.py", "import_events", str(file)]
        address = urlsplit(os.environ["DATABASE_URL"])._replace(path="/bench_import").geturl()
        environment = {**os.environ, "DATABASE_URL": address}
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, env=environment)
        seconds = perf_counter() - start
    print(f"  {events:,} events in {seconds:.1f} s: {events / seconds:,.0f}/s (at least 15,000)")
