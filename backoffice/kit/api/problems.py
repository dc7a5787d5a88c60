"""The one error shape under /api/: RFC 9457 `application/problem+json`.

    {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "…",
     "errors": [{"field": "…", "message": "…"}]}

Views raise `ProblemError` (or Django's and ninja's own errors, which become one); `ApiMiddleware` gives the same shape
to errors outside of views: unknown paths, wrong methods, refused hosts, crashes.
"""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, cast

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, RequestDataTooBig, ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpResponse, HttpResponseBase
from ninja import NinjaAPI
from ninja import errors as ninja_errors
from pydantic import BaseModel, Field

from backoffice.kit import database
from backoffice.kit.api.responses import json_response

CONTENT_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="api", Basic realm="api", charset="UTF-8"'  # RFC 9110 §11.6.1, RFC 7617 §2.1
NOT_AN_OBJECT = "The body must be a JSON object."
MOST_ERRORS = 100  # that an answer names: a body of 2 MB can hold half a million
NOTHING_HERE = "There is nothing at this address."
DETAILS = {
    400: "The request can't be understood.",
    404: NOTHING_HERE,
    405: "This address does not know that method.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    500: "Something failed here; it was logged.",
    503: database.WHY,
}


class FieldError(NamedTuple):
    """An error of one field; `field` is empty for the request as a whole."""

    field: str
    message: str


class ProblemError(Exception):
    """An error as an answer. Raised inside `transaction.atomic()`, it rolls back."""

    def __init__(
        self, status: int, detail: str, *, errors: Iterable[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors, self.headers = HTTPStatus(status), detail, list(errors), headers or {}

    def response(self) -> HttpResponse:
        body = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "errors": [error._asdict() for error in self.errors],
        }
        headers = {"WWW-Authenticate": CHALLENGE} if self.status == HTTPStatus.UNAUTHORIZED else {}
        return json_response(body, status=self.status, content_type=CONTENT_TYPE, headers={**headers, **self.headers})


class InvalidError(ProblemError):
    """422: the request breaks a rule."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__(422, "; ".join(f"{field}: {text}" if field else text for field, text in errors), errors=errors)


class FieldErrorOut(BaseModel):
    field: str = Field(description="The name of the field; empty for the request as a whole.")
    message: str


class ProblemOut(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: Literal["about:blank"]
    title: str = Field(description="The phrase of the HTTP status.")
    status: int
    detail: str = Field(description="What is wrong with this request.")
    errors: list[FieldErrorOut]


def from_validation(error: ValidationError) -> ProblemError:
    """Convert Django's error; `full_clean()` gives errors by field."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    pairs = ((name, text) for name, texts in by_field.items() for text in texts)
    return InvalidError(*(FieldError("" if name == NON_FIELD_ERRORS else name, text) for name, text in pairs))


def from_ninja_validation(error: ninja_errors.ValidationError) -> ProblemError:
    """Convert ninja's error; `loc` is ("body", parameter, field…) or ("query" | "path", field…)."""
    errors = []
    for item in error.errors[:MOST_ERRORS]:
        source, *names = item["loc"]
        name = ".".join(map(str, names[1:] if source == "body" else names))
        text = item["msg"].removeprefix("Value error, ")
        errors.append(FieldError(name, text if name or source != "body" else NOT_AN_OBJECT))
    if (more := len(error.errors) - MOST_ERRORS) > 0:
        errors.append(FieldError("", f"There are {more} more errors."))
    return InvalidError(*errors)


def from_http_error(error: ninja_errors.HttpError) -> ProblemError:
    """Convert ninja's error; what the parser says of a body is its cause."""
    cause = error.__cause__
    text = f"The body is not JSON that can be taken: {cause}." if isinstance(cause, ValueError) else error.message
    return ProblemError(error.status_code, text)


HANDLERS: dict[type[Exception], Callable[[Any], ProblemError]] = {
    ProblemError: lambda error: error,
    ValidationError: from_validation,
    ninja_errors.ValidationError: from_ninja_validation,
    ninja_errors.AuthenticationError: lambda error: ProblemError(
        401, "Sign in: no valid token, password or session came."
    ),
    ninja_errors.HttpError: from_http_error,
    Http404: lambda error: ProblemError(404, NOTHING_HERE),
    PermissionDenied: lambda error: ProblemError(403, str(error) or "You may not do this."),
    RequestDataTooBig: lambda error: ProblemError(413, DETAILS[413]),
    IntegrityError: lambda error: ProblemError(
        409, "This can't be kept with what is stored now; read again and retry."
    ),
}


def response_to(error: Exception) -> HttpResponse:
    """Return the problem of an `error` that HANDLERS knows."""
    return next(HANDLERS[kind](error) for kind in type(error).__mro__ if kind in HANDLERS).response()


def install(api: NinjaAPI) -> None:
    """Answer the exceptions of HANDLERS with a problem; any other is left to Django, which logs its traceback."""
    for kind in HANDLERS:
        api.add_exception_handler(kind, lambda request, error: response_to(cast(Exception, error)))


def from_response(response: HttpResponseBase) -> HttpResponseBase:
    """Return a problem in place of an error of another shape; it reveals nothing about a crash."""
    if response.get("Content-Type", "") == CONTENT_TYPE:
        return response
    status = HTTPStatus(response.status_code)
    headers = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
    problem = ProblemError(status, DETAILS.get(status, status.description or status.phrase), headers=headers)
    return replacing(response, problem.response())


def replacing(response: HttpResponseBase, other: HttpResponse) -> HttpResponse:
    """Return `other`, in place of `response`; Django logs it as an error only if it has not logged `response`."""
    other._has_been_logged = getattr(response, "_has_been_logged", False)  # type: ignore[attr-defined]
    return other
