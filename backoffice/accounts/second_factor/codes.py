"""The codes themselves: six digits of an app, by the time, and recovery codes. Nothing here is stored."""

import time

import pyotp
from django.conf import settings
from django.utils.crypto import constant_time_compare

STEP = 30  # seconds that a code of an app is shown for
TOLERANCE = 1  # steps that the app's clock may be wrong by
RECOVERY_CODES = 10
RECOVERY_LETTERS, RECOVERY_GROUP = 16, 4  # of an alphabet of 32: 80 random bits, too many to be guessed


def new_secret() -> str:
    """Return a new secret, in base32 as apps and people type it."""
    return pyotp.random_base32()


def address(secret: str, name: str) -> str:
    """Return what the QR code says to the app."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=settings.TITLE)


def step_of(secret: str, code: str) -> int | None:
    """Return the number of the step that `code` is of; None if it is of none that is about now."""
    app, now = pyotp.TOTP(secret, interval=STEP), int(time.time()) // STEP
    steps = range(now - TOLERANCE, now + TOLERANCE + 1)
    return next((step for step in steps if constant_time_compare(app.generate_otp(step), code)), None)


def new_recovery_codes() -> list[str]:
    """Return new codes: `abcd-efgh-2345-6723`."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def _recovery_code() -> str:
    letters = pyotp.random_base32().lower()[:RECOVERY_LETTERS]
    groups = (letters[start : start + RECOVERY_GROUP] for start in range(0, RECOVERY_LETTERS, RECOVERY_GROUP))
    return "-".join(groups)


def plain(code: str) -> str:
    """Return a code as it is compared: people type spaces and hyphens, or leave them out."""
    return "".join(code.split()).replace("-", "").lower()
