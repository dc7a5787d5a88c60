from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from backoffice.accounts.models import User
from backoffice.accounts.second_factor import service
from backoffice.accounts.second_factor.demands import must_set_up
from backoffice.kit.api.middleware import API

CODE_MISSING = (
    "This account has a second factor: send its code as `code` to POST /api/token/, or use an API key, which needs "
    "no code."
)
NOT_SET_UP = "A role of this account demands a second factor: set one up on the pages first, under My settings."


class PasswordBackend(ModelBackend):
    """Django's, but a password alone signs in nobody who has a second factor.

    A right password without what it needs is no failure: `request.sign_in_lacks` says what is missing, and
    `request.code_awaited_of` whose code the pages can ask for.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        code: str = "",
        proven: User | None = None,
        **options: Any,
    ) -> User | None:
        """Return the account of this name and password, or `proven`, if the code is right or none is needed.

        Args:
            proven: whose first step was done: the password was right, or they signed in elsewhere.
        """
        if proven is None:
            user = super().authenticate(request, username, password, **options)
        else:
            user = proven if self.user_can_authenticate(proven) else None
        if user is None or request is None or _is_confirming(request, user, proven):
            return user
        if user.second_factor_at is None:
            if request.path_info.startswith(API) and must_set_up(user):
                _lacks(request, NOT_SET_UP)
            return user
        if not code:
            request.code_awaited_of = user  # type: ignore[attr-defined]
            _lacks(request, CODE_MISSING)
        return user if service.use(user, code) else None


def _is_confirming(request: HttpRequest, user: User, proven: User | None) -> bool:
    """Return whether somebody who is signed in repeats their password."""
    return proven is None and getattr(request, "user", None) == user


def _lacks(request: HttpRequest, text: str) -> None:
    request.sign_in_lacks = text  # type: ignore[attr-defined]
    raise PermissionDenied  # Django asks no other backend
