"""Every registered health check can be imported, and is listed in its section."""

from django.utils.module_loading import import_string

from common import health
from common.health import Section


def test_every_registered_check_can_be_imported():
    assert all(callable(import_string(check.path)) for check in health.checks())
    assert all(callable(query) for query in health.failed_email_queries)


def test_checks_are_listed_by_section_and_then_in_the_order_of_registration(monkeypatch):
    monkeypatch.setattr(health, "_checks", {})
    health.register(Section.DATA, "a.b", "a.c")
    health.register(Section.MACHINE, "a.d", needs_database=False)
    health.register(Section.SERVERS, "z.a", needs_database=False)
    assert [check.path for check in health.checks()] == ["z.a", "a.b", "a.c", "a.d"]
    assert [check.needs_database for check in health.checks()] == [False, True, True, False]
