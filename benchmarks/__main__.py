"""Run the benchmarks on a PostgreSQL of their own, with fsync on."""

import argparse
import os
from importlib import import_module
from pathlib import Path

from devstack.services import ensure_services

NAMES = (
    "importing",
    "reading",
    "accepting",
    "ingesting",
    "end_to_end",
    "freshness",
    "memory",
    "ledger",
    "webhooks",
    "loading",
    "operating",
    "abuse",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)} (default: all)"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the full size")
    options = parser.parse_args()
    os.environ.pop("DATABASE_URL", None)  # never a developer's database
    data_dir = Path(__file__).resolve().parent.parent / ".local" / "bench"
    ensure_services(data_dir=data_dir, durable=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

    import django

    django.setup()

    for name in options.names or NAMES:
        benchmark = import_module(f"benchmarks.{name}")
        print(f"{name}: {benchmark.__doc__}", flush=True)
        benchmark.run(options.scale)


if __name__ == "__main__":
    main()
