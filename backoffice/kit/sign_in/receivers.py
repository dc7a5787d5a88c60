"""Count and record how attempts to sign in end; Django's signals tell."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.sign_in.limits import know


@receiver(user_login_failed)
def failed(request: HttpRequest | None = None, **_: object) -> None:
    attempt = getattr(request, "sign_in", None)
    if attempt is None or request.sign_in_wait or hasattr(request, "sign_in_lacks"):  # type: ignore[union-attr]
        return  # what had to wait was not judged; a right password that needs more is no failure
    attempt.fail()
    record(Action.SIGN_IN_FAILED, attempt.account)


@receiver(user_logged_in)
def began_session(request: HttpRequest, user: AbstractBaseUser, **_: object) -> None:
    succeeded(request, user)
    request.signed_in = user  # type: ignore[attr-defined] # the middleware gives the browser its cookie
    record(Action.SIGNED_IN, user, actor=user, way=getattr(request, "sign_in_way", "session"))


@receiver(user_logged_out)
def ended_session(user: AbstractBaseUser | None, **_: object) -> None:
    if user is not None:
        record(Action.SIGNED_OUT, user, actor=user)


def succeeded(request: HttpRequest, user: AbstractBaseUser) -> bool:
    """Forget the failures before a sign-in, and know its address; return whether it is the first from there today."""
    attempt: Any = getattr(request, "sign_in", None)
    if attempt is not None:  # else without a password
        attempt.succeed()
    return know(request, user)
