"""What every operation answers beside its own, added to the API's description in one place.

Errors, headers and shared parameters are components, described once. An operation's `response=` lists its success and
only those errors that do not follow from its method, path, body and sign-in.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from backoffice.kit import request_ids
from backoffice.kit.api import problems, versions
from backoffice.kit.api.middleware import REASON, WRITES
from backoffice.kit.api.responses import JSON

Object = dict[str, Any]

ERRORS = {
    400: "The body is not JSON.",
    401: "Nobody is signed in, or not validly.",
    403: "A permission is missing, or the CSRF token.",
    404: "There is no such address or object.",
    405: "There is no such method here.",
    406: "Accept names nothing that there is; the answer lists what there is.",
    409: "What is stored now forbids it, or the same request is being answered.",
    412: "The stored version is another one than the request's condition names.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    422: "A rule is broken; `errors` names the fields.",
    429: "Too many requests.",
}


def _text(description: str, **schema: Any) -> Object:
    return {"description": description, "schema": {"type": "string", **schema}}


HEADERS = {
    versions.HEADER: {"description": "The version that answered.", "schema": {"type": "integer"}},
    request_ids.HEADER: _text("The id of the request: the caller's, or one made here."),
    "ETag": _text("The version of the object, for If-Match and If-None-Match."),
    "Location": _text("The address of what was made."),
    "Allow": _text("The methods that there are."),
    "WWW-Authenticate": _text("The ways to sign in."),
    "Idempotency-Replayed": _text("`true`: this is the first answer to the same Idempotency-Key, repeated."),
    "RateLimit": _text('What is left: `"default";r=99;t=60`, 99 requests in the next 60 seconds.'),
    "RateLimit-Policy": _text('What may be sent: `"default";q=100;w=60`, 100 requests in 60 seconds.'),
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
}
# For the operations that make something: `openapi_extra=LOCATION`.
LOCATION = {"responses": {201: {"headers": {"Location": HEADERS["Location"]}}}}
ALWAYS = (versions.HEADER, request_ids.HEADER, "RateLimit", "RateLimit-Policy")
ERROR_HEADERS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After"}
PARAMETERS = {
    "If-Match": _text("Write only if this ETag, or one of these, is still the object's; `*`: if there is an object."),
    "If-None-Match": _text("Answer 304 if the object's ETag is still this one."),
    "Idempotency-Key": _text(
        "A UUID, or the like. A repeated request under the same key gets the first answer again, within 24 hours.",
        maxLength=255,
        pattern="^[!-~]([ -~]*[!-~])?$",
    ),
    REASON: _text(
        "Why; kept in the history. At most 100 characters, those beyond ASCII as percent-encoded UTF-8.",
        pattern="^ *[!-~][ -~]*$",
    ),
}


def complete(document: Object, version: int) -> None:
    """Add to ninja's `document`, in place, what every operation of `version` answers."""
    used: set[int] = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            made = _operation(method.upper(), path, operation, version)
            operations[method] = made
            used |= {status for status in made["responses"] if status >= 400}
    schema = problems.ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    components = document["components"]
    components["schemas"] |= {**schema.pop("$defs"), problems.ProblemOut.__name__: schema}
    components["headers"] = HEADERS
    components["parameters"] = {
        name: {"name": name, "in": "header", "required": False, **text} for name, text in PARAMETERS.items()
    }
    components["responses"] = {_name(status): _problem(status) for status in sorted(used)}


def _operation(method: str, path: str, operation: Object, version: int) -> Object:
    """A copy of ninja's `operation`, which may stand under several methods, with all its answers."""
    statuses = {*operation["responses"], *_statuses(method, path, operation)}
    own = {name for name, needed in _headers(method, operation, statuses) if needed}
    answers = {status: _success(operation["responses"][status], version, own) for status in statuses if status < 400}
    errors = {status: {"$ref": f"#/components/responses/{_name(status)}"} for status in statuses if status >= 400}
    parameters = [{"$ref": f"#/components/parameters/{name}"} for name in PARAMETERS if name in own]
    return operation | {
        "parameters": operation.get("parameters", []) + parameters,
        "responses": dict(sorted({**answers, **errors}.items())),
    }


def _statuses(method: str, path: str, operation: Object) -> Iterator[int]:
    """The errors that follow from what an operation is."""
    yield from (405, 406, 422, 429)
    if "security" in operation:
        yield from (401, 403)
    if "requestBody" in operation:
        yield from (400, 413, 415)
    if "{" in path:
        yield 404
    if _is_repeatable(method, operation):
        yield from (400, 409)


def _is_repeatable(method: str, operation: Object) -> bool:
    """It may have an Idempotency-Key; answers to who is not signed in are tokens, which are not kept."""
    return method == "POST" and "security" in operation


def _headers(method: str, operation: Object, statuses: set[int]) -> Iterator[tuple[str, bool]]:
    """The shared headers of an operation's request and of its success, and whether it has them."""
    yield REASON, method in WRITES
    yield "If-Match", 412 in statuses
    yield "If-None-Match", 304 in statuses
    yield "ETag", bool({304, 412} & statuses)
    yield "Idempotency-Key", _is_repeatable(method, operation)
    yield "Idempotency-Replayed", _is_repeatable(method, operation)


def _success(answer: Object, version: int, own: set[str]) -> Object:
    names = [*ALWAYS, *(name for name in HEADERS if name in own), *answer.get("headers", {})]
    made = answer | {"headers": {name: _header(name, answer) for name in names}}
    if JSON in answer.get("content", {}):
        made["content"] = answer["content"] | {versions.vendor_type(version): answer["content"][JSON]}
    return made


def _header(name: str, answer: Object) -> Object:
    return {"$ref": f"#/components/headers/{name}"} if name in HEADERS else answer["headers"][name]


def _name(status: int) -> str:
    return f"Problem{status}"


def _problem(status: int) -> Object:
    names = [*ALWAYS, *([ERROR_HEADERS[status]] if status in ERROR_HEADERS else [])]
    return {
        "description": ERRORS.get(status, HTTPStatus(status).phrase),
        "headers": {name: _header(name, {}) for name in names},
        "content": {problems.CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    }
