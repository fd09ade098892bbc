#!/usr/bin/env python
"""Run a management command, with the embedded servers unless others are configured."""

import gc
import os
import sys

from devstack.environment import has_servers


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    gc.disable()  # importing leaves no garbage; `config.apps` enables it again
    if not has_servers():  # a deployment with its own may run on a system without fcntl
        from devstack.services import ensure_services  # noqa: PLC0415

        ensure_services()
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
