"""`Idempotency-Key` on every POST: a repeated request gets the first answer, and nothing is done twice.

https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07. Installed for the whole API by
`api.add_decorator(idempotent, mode="operation")`, so it runs after authentication and validation: a request that was
refused there did nothing, and its answer is not kept.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial, wraps
from typing import TypeVar

import orjson
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from backoffice.kit.api.problems import HANDLERS, ProblemError, response_to
from backoffice.kit.context import scope_of
from backoffice.kit.idempotency.models import KeptAnswer
from backoffice.kit.idempotency.service import busy, claim, give_up, is_kept, keep
from backoffice.kit.secret_keys import secret_keys

KEY_LENGTH = 255  # characters
# Not kept: nothing was written, and a repeated request may be allowed, or in time, so the operation decides again.
PASSING = frozenset({401, 403, 408, 425, 429})

View = Callable[..., object]
Marked = TypeVar("Marked", bound=View)


def not_atomic(view: Marked) -> Marked:
    """Mark an operation that waits for another system, during which no transaction may be open.

    Its answer is kept after its work, in a transaction of its own: a crash between the two makes a repeat do it again.
    """
    view._not_atomic = True  # type: ignore[attr-defined]
    return view


def answer_is_secret(view: Marked) -> Marked:
    """Mark an operation whose answer must not be stored, such as a token; it ignores the header."""
    view._answer_is_secret = True  # type: ignore[attr-defined]
    return view


def idempotent(view: View) -> View:
    """Make an operation answer a repeated `Idempotency-Key` with its first answer.

    Raises:
        ProblemError: 400, the key is malformed; 409, the first attempt is still at work; 422, the key came with another
            body.
        TypeError: the operation did not return an HttpResponse.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> object:
        header = request.headers.get("Idempotency-Key")
        if header is None or request.method != "POST" or hasattr(view, "_answer_is_secret"):
            return view(request, *args, **kwargs)
        secret = _secret_of(request, key_of(header))
        digest, fingerprint = _digest(request, key_of(header), secret), _fingerprint(request, secret)
        claimed = claim(digest=digest, fingerprint=fingerprint)
        if claimed.status is not None:
            headers = {**claimed.headers, "Idempotency-Replayed": "true"}
            return HttpResponse(claimed.body, status=claimed.status, headers=headers)
        kept = False
        try:
            is_atomic = not hasattr(view, "_not_atomic")
            response, kept = _carry_out(claimed, partial(view, request, *args, **kwargs), is_atomic=is_atomic)
        finally:
            if not kept:
                give_up(claimed)
        return response

    return wrapped


def key_of(header: str) -> str:
    """Return the key of a header: in quotes by RFC 9651, but without them from most clients.

    Raises:
        ProblemError: 400, the key is malformed.
    """
    key = header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header
    if not 0 < len(key) <= KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise ProblemError(
            400, f"Idempotency-Key must be 1 to {KEY_LENGTH} printable ASCII characters, such as a UUID."
        )
    return key


def _secret_of(request: HttpRequest, key: str) -> str:
    """Return the secret key that the request's kept answer was stored under; of a new request the one in use."""
    current, *older = secret_keys()
    return next((one for one in older if is_kept(_digest(request, key, one))), current)


def _digest(request: HttpRequest, key: str, secret: str) -> str:
    user = str(request.user.pk) if request.user.is_authenticated else ""
    parts = (user, scope_of(request.user), request.method, request.get_full_path(), key)
    return salted_hmac("idempotency.digest", orjson.dumps(parts), secret=secret, algorithm="sha256").hexdigest()


def _fingerprint(request: HttpRequest, secret: str) -> str:
    content = str(getattr(request, "api_version", "")).encode() + b"\n" + request.body
    return salted_hmac("idempotency.fingerprint", content, secret=secret, algorithm="sha256").hexdigest()


def _carry_out(claim: KeptAnswer, view: Callable[[], object], *, is_atomic: bool) -> tuple[HttpResponse, bool]:
    """Call the view and keep its answer; return the answer, and whether it was kept.

    Args:
        is_atomic: commit the view's writes with its answer, or roll them back if the answer is an error.
    """
    try:
        with transaction.atomic() if is_atomic else nullcontext():
            response = view()
            if not isinstance(response, HttpResponse):
                raise TypeError(
                    "A POST operation returns an HttpResponse, see backoffice.kit.api.responses.json_response."
                )
            if is_atomic and response.status_code < 400:
                if not keep(claim, response):
                    raise busy()
                return response, True
            if is_atomic:
                transaction.set_rollback(True)
    except tuple(HANDLERS) as error:
        response = response_to(error)
    lasts = response.status_code < 500 and response.status_code not in PASSING
    return response, lasts and keep(claim, response)
