"""The second factor of a login: an authenticator app or a passkey, and recovery codes."""

import re
from base64 import b32encode
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import django_otp
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential

from operational.access import limits

RECOVERY_CODES = 10
_CODE_BYTES = 10  # 80 random bits, 16 characters
ADDING_LASTS = timedelta(minutes=10)
_MAY_ADD_UNTIL = "may_add_second_factor_until"

# A condition on users, in a query.
HAS_SECOND_FACTOR = Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)) | Exists(
    WebAuthnCredential.objects.filter(user=OuterRef("pk"), confirmed=True)
)


class LoginStep(StrEnum):
    """What a logged-in user has to do before anything else."""

    VERIFY = "verify"
    SET_UP = "set-up"


def next_step(user: Any) -> LoginStep | None:
    """Return what is missing before the request of a user, who may be anonymous, is served."""
    if not user.is_authenticated or getattr(user, "otp_device", None):
        return None
    if has_second_factor(user):
        return LoginStep.VERIFY
    return LoginStep.SET_UP if settings.PLUMBLINE_REQUIRE_MFA and user.is_staff else None


def has_second_factor(user: User) -> bool:
    """Return whether a user has an app or a passkey; recovery codes alone are none."""
    return User.objects.filter(HAS_SECOND_FACTOR, pk=user.pk).exists()


def devices(user: User) -> list[Device]:
    """Return a user's app and passkeys."""
    apps = TOTPDevice.objects.filter(user=user, confirmed=True)
    return [*apps, *WebAuthnCredential.objects.filter(user=user, confirmed=True)]


def recovery_codes_left(user: User) -> int:
    left: int = StaticToken.objects.filter(device__user=user).count()
    return left


def may_add(request: HttpRequest) -> bool:
    """Return whether the password was entered lately: a session alone adds no second factor."""
    return bool(request.session.get(_MAY_ADD_UNTIL, 0) > timezone.now().timestamp())


def allow_adding(request: HttpRequest) -> None:
    """Let this session add an app or a passkey, now that the password was entered for it."""
    request.session[_MAY_ADD_UNTIL] = (timezone.now() + ADDING_LASTS).timestamp()


@receiver(user_logged_in)
def allow_the_first(request: HttpRequest, user: User, **_: Any) -> None:
    """Let people set up their first one after a login, which took the password."""
    if not has_second_factor(user):
        allow_adding(request)


def start_app(user: User) -> None:
    """Make the secret of an authenticator app, which counts once `confirm_app` sees a code."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user, confirmed=False).delete()
        TOTPDevice.objects.create(user=user, name="Authenticator app", confirmed=False)


def app_to_confirm(user: User) -> TOTPDevice | None:
    return TOTPDevice.objects.filter(user=user, confirmed=False).first()


def confirm_app(request: HttpRequest, user: User, code: str) -> bool:
    """Take an app into use if the code is right, and count this session as verified."""
    device = app_to_confirm(user)
    if device is None or not django_otp.verify_token(user, device.persistent_id, _digits(code)):
        return False
    device.refresh_from_db()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    _record(user, by=user, change="Set up an authenticator app.")
    _verified(request, device)
    return True


def new_recovery_codes(user: User) -> list[str]:
    """Replace a user's recovery codes; only hashes are stored, so they are shown once."""
    codes = [b32encode(token_bytes(_CODE_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        StaticDevice.objects.filter(user=user).delete()
        device = StaticDevice.objects.create(user=user, name="Recovery codes")
        for code in codes:
            device.token_set.create(token=_stored(code))
    return ["-".join(re.findall("....", code)) for code in codes]


def verify(request: HttpRequest, user: User, code: str) -> bool:
    """Count this session as verified if an app's code or a recovery code is right.

    Raises `TooManyAttempts`.
    """
    counters = limits.code_counters(request, user.get_username())
    limits.count(counters, timezone.now())
    digits = _digits(code)
    kind: type[Device] = TOTPDevice if digits.isdecimal() else StaticDevice
    token = digits if digits.isdecimal() else _stored(digits)
    for device in kind.objects.filter(user=user, confirmed=True):
        if django_otp.verify_token(user, device.persistent_id, token):
            limits.take_back(counters, timezone.now())
            _verified(request, device)
            return True
    return False


def remove(user: User, persistent_id: str) -> bool:
    """Remove one of a user's devices, if it is theirs; the recovery codes go with the last one."""
    by_id = {device.persistent_id: device for device in devices(user)}
    device = by_id.get(persistent_id)
    if device is None:
        return False
    device.delete()
    if not has_second_factor(user):
        _delete_all(user)
    _record(user, by=user, change=f"Removed a second factor: {device.name}.")
    return True


def reset(user: User, *, by: User | None) -> bool:
    """Remove all that a user has, for another person or a command (None); False: nothing to do."""
    with transaction.atomic():
        if not _delete_all(user):
            return False
        how = "" if by else " with manage.py reset_second_factor"
        _record(user, by=by or user, change=f"Reset the second factor{how}.")
    return True


def _delete_all(user: User) -> bool:
    models = (TOTPDevice, WebAuthnCredential, StaticDevice)
    deleted: int = sum(model.objects.filter(user=user).delete()[0] for model in models)
    return deleted > 0


def _record(user: User, *, by: User, change: str) -> None:
    """Write a change to the user's history in the admin."""
    users = User.objects.filter(pk=user.pk)
    LogEntry.objects.log_actions(by.pk, users, CHANGE, change, single_object=True)


def _verified(request: HttpRequest, device: Device) -> None:
    request.session.pop(_MAY_ADD_UNTIL, None)
    request.session.cycle_key()
    django_otp.login(request, device)


def _digits(code: str) -> str:
    """Return a code as it is compared: without spaces and dashes, in lower case."""
    return re.sub(r"[\s-]", "", code).lower()


def _stored(code: str) -> str:
    """Return what is stored of a recovery code: 64 bits, as the library's column takes."""
    return sha256(code.encode()).hexdigest()[:16]
