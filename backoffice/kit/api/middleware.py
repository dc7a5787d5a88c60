"""The steps around every operation of the API, in one middleware."""

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
from backoffice.kit.encoding import is_utf_8

API = "/api/"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
REASON = "X-Change-Reason"
JSON_TYPE = re.compile(r"application/([\w.+-]+\+)?json")


class ApiMiddleware:
    """Handle requests under /api/; every other request passes after a check of its path.

    1. The version that `Accept` names answers, and names itself in `API-Version`.
    2. A path works with and without its final slash; a redirect would lose the body.
    3. Refused before anything is done: a write whose answer the client would not accept, a body that is not declared as
       JSON or is compressed, an address that is not UTF-8, a reason that the history can't keep.
    4. HEAD answers as GET without a body (RFC 9110, section 9.3.2), OPTIONS with the methods (9.3.7).
    5. Every error is a problem, and every answer carries what is left of the caller's limit.
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
        response[versions.HEADER] = str(versions.version_of(request))
        patch_vary_headers(response, ["Accept"])
        return _without_body(response) if request.method == "HEAD" else response

    def _answer(self, request: HttpRequest, accepted: str | None) -> HttpResponseBase:
        """Return the view's answer, or the problem for which it is not called."""
        # Django resolves the path anyway, in a tenth of a read's time: here only a path that may not have a view is.
        if not request.path_info.endswith("/"):
            find_address(request)
        try:
            reason = check(request, accepted)
        except ProblemError as problem:
            if find_address(request):
                return problem.response()
            reason = ""
        method = request.method
        request.method = "GET" if method == "HEAD" else method
        with because(reason):
            response = self.get_response(request)
            if response.status_code == 404 and request.resolver_match is None and find_address(request):
                response = self.get_response(request)
        request.method = method
        if "Allow" in response:
            known = {*response["Allow"].split(", ")}
            response["Allow"] = ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))
        if method == "OPTIONS" and response.status_code == 405:
            return empty_response(204, Allow=response["Allow"])
        return response


def find_address(request: HttpRequest) -> bool:
    """Add or remove the final slash of a path that has no view; return whether the path has one now."""
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
    """Refuse a request that no operation would take; return the reason that it gives for its change, or "".

    Raises:
        ProblemError: 400, the address is not UTF-8; 406, the client would not accept the answer; 415, the body is not
            declared as JSON, or is compressed; 422, the reason can't be kept.
    """
    is_write = request.method in WRITES
    if is_write and accepted is None:
        raise versions.not_acceptable()
    # Forms of other sites can send text/plain without a preflight request, and browsers add Basic credentials
    # automatically; application/json needs one (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
    has_body = request.META.get("CONTENT_LENGTH") not in (None, "", "0")
    if has_body and not JSON_TYPE.fullmatch(request.content_type or ""):
        raise ProblemError(415, "Send the body with Content-Type: application/json.")
    if has_body and request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise ProblemError(415, "Send the body as it is, without Content-Encoding.")
    if not is_utf_8(request.META.get("QUERY_STRING", "")):
        raise ProblemError(400, "The address is not UTF-8 text. Encode its parameters as percent-encoded UTF-8.")
    return read_reason(request.headers[REASON]) if is_write and REASON in request.headers else ""


def read_reason(value: str) -> str:
    """Decode the header: ASCII in which other characters are percent-encoded UTF-8, as in an address.

    Headers have no encoding of their own (RFC 9110, section 5.5): browsers send Latin-1 and shells UTF-8.

    Raises:
        InvalidError: the text is empty or too long, holds a control character, or is not encoded like that.
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
    empty = HttpResponse(status=response.status_code, headers=headers)
    empty.cookies = response.cookies
    return problems.replacing(response, empty)
