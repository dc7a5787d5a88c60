"""What the API does around every operation, in one middleware."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import is_valid_path
from django.utils.cache import patch_vary_headers

from backoffice.kit.api import problems, throttle, versions
from backoffice.kit.api.problems import FieldError, InvalidError, ProblemError
from backoffice.kit.api.responses import JSON, empty_response
from backoffice.kit.context import REASON_LENGTH, because

API = "/api/"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
REASON = "X-Change-Reason"
JSON_TYPE = re.compile(r"application/([\w.+-]+\+)?json")


class ApiMiddleware:
    """Answer what is under /api/; every other request passes after one look at its path.

    1. The version that `Accept` names answers, and says so in `API-Version`.
    2. A path works with and without its final slash; a redirect would lose the body.
    3. Refused before anything is done: a write whose answer would not be accepted, a body that is not declared as JSON,
       a reason that history can't keep.
    4. HEAD answers as GET without a body (RFC 9110, section 9.3.2), OPTIONS with the methods (9.3.7).
    5. Every error is a problem, and every answer says what is left of the caller's limit.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API):
            return self.get_response(request)
        accepted = versions.negotiate(request)
        response = self._answer(request, accepted)
        if response.status_code >= 400:
            response = problems.from_response(response)
        elif response.get("Content-Type", "").partition(";")[0] == JSON:  # pages and files have types of their own
            if accepted is None:
                response.close()
                response = versions.not_acceptable().response()
            else:
                response["Content-Type"] = accepted
        response = throttle.with_limits(request, response)
        response[versions.HEADER] = str(request.api_version)  # type: ignore[attr-defined]
        patch_vary_headers(response, ["Accept"])
        return _without_body(response) if request.method == "HEAD" else response

    def _answer(self, request: HttpRequest, accepted: str | None) -> HttpResponseBase:
        """What the view answers, or why it is not asked."""
        try:
            reason = check(request, accepted) if find_address(request) else ""
        except ProblemError as problem:
            return problem.response()
        method = request.method
        request.method = "GET" if method == "HEAD" else method
        with because(reason):
            response = self.get_response(request)
        request.method = method
        if "Allow" in response:
            known = {*response["Allow"].split(", ")}
            response["Allow"] = ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))
        if method == "OPTIONS" and response.status_code == 405:
            return empty_response(204, Allow=response["Allow"])
        return response


def find_address(request: HttpRequest) -> bool:
    """Add or take the final slash of a path that has no meaning as it is; False: it has none either way."""
    path, urls = request.path_info, getattr(request, "urlconf", None)
    if is_valid_path(path, urls):
        return True
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    if is_valid_path(other, urls):
        request.path = request.path.removesuffix(path) + other
        request.path_info = other
        return True
    return False


def check(request: HttpRequest, accepted: str | None) -> str:
    """Refuse a request that no operation would take.

    Returns:
        The reason that it gives for its change; empty: none.

    Raises:
        ProblemError: 406, its answer would not be accepted; 415; 422, its reason can't be kept.
    """
    is_write = request.method in WRITES
    if is_write and accepted is None:
        raise versions.not_acceptable()
    # Forms of other sites can send text/plain without asking, and browsers add Basic credentials automatically; for
    # application/json they ask first (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
    has_body = request.META.get("CONTENT_LENGTH") not in (None, "", "0")
    if has_body and not JSON_TYPE.fullmatch(request.content_type or ""):
        raise ProblemError(415, "Send the body with Content-Type: application/json.")
    return read_reason(request.headers[REASON]) if is_write and REASON in request.headers else ""


def read_reason(value: str) -> str:
    """The text of the header: ASCII in which other characters are percent-encoded UTF-8, as in an address.

    Headers have no encoding of their own (RFC 9110, section 5.5): browsers send Latin-1 and shells UTF-8. Granian, our
    web server, gives what is not ASCII as an empty text.

    Raises:
        InvalidError: it is empty or too long, holds a control character, or is not encoded so.
    """
    try:
        text = unquote(value, errors="strict").strip()
    except UnicodeDecodeError:
        text = ""
    if not text or not value.isascii() or not text.isprintable():
        raise InvalidError(FieldError(REASON, "Use printable characters; those beyond ASCII as percent-encoded UTF-8."))
    if len(text) > REASON_LENGTH:
        raise InvalidError(FieldError(REASON, f"Use at most {REASON_LENGTH} characters; these are {len(text)}."))
    return text


def _without_body(response: HttpResponseBase) -> HttpResponse:
    headers = {name: value for name, value in response.items() if name != "Content-Length"}
    response.close()
    made = HttpResponse(status=response.status_code, headers=headers)
    made.cookies = response.cookies
    return problems.replacing(response, made)
