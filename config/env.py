"""Read environment variables; errors name the variable whose value is invalid.

Every reader also accepts ``<NAME>_FILE``, a file that contains the value, as container secrets do.
"""

import json
import os
import re
from email.utils import getaddresses
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from common.calculations.calendar import is_time_zone

STRIPE_API = "https://api.stripe.com"

_EMAIL = r"[^@\s<>]+@[^@\s<>]+"
_KEY_LENGTH, _KEY_CHARACTERS = 50, 10  # characters, and how many of them must differ


def text(name: str, default: str | None = None) -> str:
    """Return a stripped text; raise if the variable is unset and has no default."""
    file = os.environ.get(f"{name}_FILE")
    try:
        value = Path(file).read_text().strip() if file else os.environ.get(name, "").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {file}: {error.strerror}") from error
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. See docs/configuration.md.")
    return default


def choice(name: str, default: str, *, choices: tuple[str, ...]) -> str:
    """Return the choice, as written in `choices`, whatever its case."""
    value = text(name, default)
    for option in choices:
        if value.lower() == option.lower():
            return option
    listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
    raise ImproperlyConfigured(f"{name}: {value!r} must be {listed}.")


def number(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    value = text(name, str(default))
    is_number = value.isascii() and value.isdecimal()
    if not is_number or int(value) < minimum or (maximum is not None and int(value) > maximum):
        bounds = f"at least {minimum}" if maximum is None else f"{minimum} to {maximum}"
        raise ImproperlyConfigured(f"{name}: {value!r} must be a whole number, {bounds}.")
    return int(value)


def flag(name: str, *, default: bool) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}: {value!r} must be 1 or 0.")


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list without blanks and duplicates, in order."""
    return list(
        dict.fromkeys(word.strip() for word in text(name, default).split(",") if word.strip())
    )


def addresses(name: str) -> list[str]:
    """Return comma-separated e-mail addresses; those that differ in case are the same."""
    values: dict[str, str] = {}
    for address in words(name):
        values.setdefault(address.lower(), address)
        if not re.fullmatch(_EMAIL, address):
            raise ImproperlyConfigured(f"{name}: {address!r} must be an e-mail address.")
    return list(values.values())


def file(name: str) -> Path | None:
    """Return the path of a file that exists, None where none is set."""
    path = text(name, "")
    if path and not Path(path).is_file():
        raise ImproperlyConfigured(f"{name}: there is no file {path}.")
    return Path(path) if path else None


def sender(name: str) -> str:
    """Return an e-mail address, with or without a name before it; "" if unset."""
    value = text(name, "")
    senders = [address for _, address in getaddresses([value])]
    if value and not (len(senders) == 1 and re.fullmatch(_EMAIL, senders[0])):
        raise ImproperlyConfigured(
            f"{name}: {value!r} must be a sender such as Plumbline <hello@example.com>."
        )
    return value


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return comma-separated networks such as 10.1.0.0/16; an address is a network of one."""
    values = []
    for value in words(name):
        try:
            values.append(ip_network(value))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name}: {value!r} must be a network such as 10.1.0.0/16 or fd12:3456::/48."
            ) from error
    return values


def secret_key(name: str) -> str:
    """Return a key that is long enough to be secret."""
    value = text(name)
    if len(value) < _KEY_LENGTH or len(set(value)) < _KEY_CHARACTERS:
        raise ImproperlyConfigured(
            f"{name} must have at least {_KEY_LENGTH} random characters. Make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return value


def email_account() -> tuple[str, str]:
    """Return the user and the password of the mail server; both are "" if unset."""
    user, password = text("EMAIL_HOST_USER", ""), text("EMAIL_HOST_PASSWORD", "")
    if bool(user) != bool(password):
        unset = "EMAIL_HOST_PASSWORD" if user else "EMAIL_HOST_USER"
        raise ImproperlyConfigured(f"{unset} is not set; the mail server's account needs both.")
    return user, password


def email_encryption() -> tuple[bool, bool]:
    """Return whether mail is sent with STARTTLS, and with TLS from the start."""
    starttls = flag("EMAIL_USE_TLS", default=False)
    tls = flag("EMAIL_USE_SSL", default=False)
    if starttls and tls:
        raise ImproperlyConfigured(
            "EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other: set the first with port 587 "
            "(STARTTLS), the second with port 465."
        )
    return starttls, tls


def with_prefix(prefix: str) -> dict[str, str]:
    """Return the variables whose names begin with `prefix`, by the rest of their names."""
    names = {name.removesuffix("_FILE") for name in os.environ if name.startswith(prefix)}
    return {name.removeprefix(prefix): text(name, "") for name in names}


def json_list(name: str) -> list[Any]:
    """Return a JSON array, empty if the variable is unset."""
    value = text(name, "[]")
    try:
        values = json.loads(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: invalid JSON: {error}.") from error
    if not isinstance(values, list):
        raise ImproperlyConfigured(f"{name}: {value!r} must be a JSON array.")
    return values


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    if not is_time_zone(value):
        raise ImproperlyConfigured(f"{name}: {value!r} must be a time zone such as Europe/Berlin.")
    return value


def web_address(name: str, default: str) -> str:
    """Return an http(s) address without a trailing slash; an empty default stays empty."""
    value = text(name, default).rstrip("/")
    if value == default == "":
        return ""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ImproperlyConfigured(
            f"{name}: {value!r} must be an address such as https://example.com."
        )
    return value


def posthog(*, ourselves: str) -> tuple[str, str]:
    """Return host and project key of the PostHog to forward to; both are "" if unset."""
    host, key = web_address("POSTHOG_HOST", ""), text("POSTHOG_API_KEY", "")
    if bool(host) != bool(key):
        unset = "POSTHOG_API_KEY" if host else "POSTHOG_HOST"
        raise ImproperlyConfigured(f"{unset} is not set; forwarding needs both.")
    if key.startswith("phx_"):
        raise ImproperlyConfigured(
            "POSTHOG_API_KEY is a personal key; forwarding needs a project key such as phc_..."
        )
    if host and host == ourselves:
        raise ImproperlyConfigured("POSTHOG_HOST must not be this Plumbline (PLUMBLINE_URL).")
    return host, key


def stripe() -> tuple[str, str, list[str]]:
    """Return Stripe's secret key ("" if unset), the address of its API and the webhook secrets."""
    key, base = text("STRIPE_SECRET_KEY", ""), web_address("STRIPE_API_BASE", STRIPE_API)
    if key and not re.fullmatch(r"(sk|rk)_(test|live)_[A-Za-z0-9]{24,}", key):
        raise ImproperlyConfigured(
            "STRIPE_SECRET_KEY must be a key such as sk_test_... or rk_live_..."
        )
    if "_live_" in key and base != STRIPE_API:
        raise ImproperlyConfigured(
            "STRIPE_API_BASE is for tests: a live key is sent to Stripe only."
        )
    secrets = words("STRIPE_WEBHOOK_SECRET")
    if not all(secret.startswith("whsec_") for secret in secrets):
        raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRET must be secrets such as whsec_...")
    return key, base, secrets


def postgresql(name: str) -> dict[str, object]:
    """Return Django's database settings from ``postgresql://user:password@host:port/name``."""
    parts = urlsplit(text(name))
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            f"{name} must be an address such as postgresql://user:password@host:5432/plumbline."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
    }
