"""Property tests draw all their examples in `make test-slow`, and a quarter of them before."""

from hypothesis import HealthCheck, settings

THOROUGH = "thorough"  # hypothesis' profile in `make test-slow`
settings.register_profile(THOROUGH)


def examples(number: int) -> settings:
    """Return the settings of a property test that works with the database."""
    thorough = settings.get_current_profile_name() == THOROUGH
    return settings(
        max_examples=number if thorough else number // 4,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
