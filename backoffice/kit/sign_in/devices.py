"""A signed cookie that tells the browsers in which an account signed in from those of strangers.

See https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies. The cookie signs nobody in: a
stolen one only has a count of failures of its own.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

COOKIE = f"{settings.NODE}_device"
SALT = "sign_in.device"
KEPT = timedelta(days=365)


def device_of(request: HttpRequest, account: AbstractBaseUser) -> str | None:
    """Return the number of a browser in which the account signed in before; None of any other."""
    try:
        key, device = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=KEPT)
    except signing.BadSignature:
        return None
    return str(device) if key == account.pk else None


def remember(request: HttpRequest, response: HttpResponseBase, account: AbstractBaseUser) -> None:
    """Give the browser its cookie."""
    if device_of(request, account) is None:
        value = signing.dumps([account.pk, secrets.token_hex(16)], salt=SALT)
        response.set_cookie(
            COOKIE, value, max_age=KEPT, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
        )
