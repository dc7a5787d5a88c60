from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from backoffice.kit.sign_in.limits import Attempt


class SlowingBackend:
    """The first backend: refuses an attempt that has to wait, before the others check its password.

    It has no accounts and permissions of its own, so none of the other methods of a backend.
    """

    def authenticate(self, request: HttpRequest | None, username: str | None = None, **_credentials: Any) -> None:
        """Keep the attempt as `request.sign_in`, and the seconds that it has to wait as `request.sign_in_wait`.

        Raises:
            PermissionDenied: it has to wait; Django asks no other backend then.
        """
        if request is None or username is None:  # a command
            return
        request.sign_in = Attempt(request, username)  # type: ignore[attr-defined]
        request.sign_in_wait = request.sign_in.begin()  # type: ignore[attr-defined]
        if request.sign_in_wait:  # type: ignore[attr-defined]
            raise PermissionDenied
