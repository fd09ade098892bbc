"""Embedded PostgreSQL and Valkey for a first run, the tests and development; without Django.

`services.ensure_services()` gives a process its DATABASE_URL and REDIS_URL; `python -m devstack up`
runs the whole of Plumbline; `python -m devstack run COMMAND` runs a command with its servers.
"""
