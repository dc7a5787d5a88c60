"""Complete the API's description with the answers that all operations share.

Errors, headers and shared parameters are components, described once. An operation's `response=` lists its success and
only those errors that do not follow from its method, path, body and authentication.
"""

from http import HTTPStatus
from typing import Any

from backoffice.kit.api import problems, versions
from backoffice.kit.api.middleware import REASON, WRITES
from backoffice.kit.api.responses import JSON
from backoffice.kit.context import REQUEST_ID_HEADER

Object = dict[str, Any]

ERRORS = {
    400: "The body is not JSON, or the address is not UTF-8.",
    401: "No valid token, key, password or session came.",
    403: "A permission is missing, or the CSRF token.",
    404: "There is nothing at this address.",
    405: "This address does not know that method.",
    406: "Accept names no type that this API answers in; the answer lists them.",
    409: "What is stored now forbids it, or the same request is being answered.",
    412: "The stored version is another one than the request's condition names.",
    413: "The body is too large.",
    415: "The body is not declared as JSON, or is compressed.",
    422: "A rule is broken; `errors` names the fields.",
    429: "Too many requests.",
}


def _text(description: str, **schema: object) -> Object:
    """Return the description of a header or parameter that is a text."""
    return {"description": description, "schema": {"type": "string", **schema}}


HEADERS = {
    versions.HEADER: {"description": "The version that answered.", "schema": {"type": "integer"}},
    REQUEST_ID_HEADER: _text("The id of the request: that of the proxy in front, or one made here."),
    "ETag": _text("The version of the object, for If-Match and If-None-Match."),
    "Location": _text("The address of the new object."),
    "Allow": _text("The methods that this address knows."),
    "WWW-Authenticate": _text("The ways to sign in."),
    "Idempotency-Replayed": _text("`true`: this is the first answer to the same Idempotency-Key, repeated."),
    "RateLimit": _text('What is left: `"default";r=99;t=60`, 99 requests in the next 60 seconds.'),
    "RateLimit-Policy": _text('What may be sent: `"default";q=100;w=60`, 100 requests in 60 seconds.'),
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
}
# For operations that create something: `openapi_extra=LOCATION`.
LOCATION = {"responses": {201: {"headers": {"Location": HEADERS["Location"]}}}}
ALWAYS = (versions.HEADER, REQUEST_ID_HEADER, "RateLimit", "RateLimit-Policy")
ERROR_HEADERS = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",)}
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
    """Add the shared answers of every operation of `version` to ninja's `document`, in place."""
    used: set[int] = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            # A copy: ninja shares one operation among several methods.
            operations[method] = operation | _described(method.upper(), path, operation, version)
            used |= {status for status in operations[method]["responses"] if status >= 400}
    schema = problems.ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    components = document["components"]
    components["schemas"] |= {**schema.pop("$defs"), problems.ProblemOut.__name__: schema}
    components["headers"] = HEADERS
    components["parameters"] = {
        name: {"name": name, "in": "header", "required": False, **text} for name, text in PARAMETERS.items()
    }
    components["responses"] = {f"Problem{status}": _problem(status) for status in sorted(used)}


def _described(method: str, path: str, operation: Object, version: int) -> Object:
    """Return all answers of an operation, with the errors that follow from its kind, and its shared parameters."""
    is_signed_in = "security" in operation
    is_repeatable = method == "POST" and is_signed_in  # others answer with a token, never kept
    statuses = {*operation["responses"], 405, 406, 422, 429}
    statuses |= {401, 403} if is_signed_in else set()
    statuses |= {400, 413, 415} if "requestBody" in operation else set()
    statuses |= {404} if "{" in path else set()
    statuses |= {400, 409} if is_repeatable else set()
    has = {
        REASON: method in WRITES,
        "If-Match": 412 in statuses,
        "If-None-Match": 304 in statuses,
        "ETag": bool({304, 412} & statuses),
        "Idempotency-Key": is_repeatable,
        "Idempotency-Replayed": is_repeatable,
    }
    answers: dict[int, Object] = {status: _ref("responses", f"Problem{status}") for status in statuses if status >= 400}
    for status in statuses - {*answers}:
        answer = operation["responses"][status]
        own, content = answer.get("headers", {}), answer.get("content", {})
        names = [*ALWAYS, *(name for name in HEADERS if has.get(name) or name in own)]
        answers[status] = answer | {"headers": own | {name: _ref("headers", name) for name in names}}
        if JSON in content:
            answers[status]["content"] = content | {versions.vendor_type(version): content[JSON]}
    parameters = [_ref("parameters", name) for name in PARAMETERS if has[name]]
    return {"parameters": operation.get("parameters", []) + parameters, "responses": dict(sorted(answers.items()))}


def _problem(status: int) -> Object:
    return {
        "description": ERRORS.get(status, HTTPStatus(status).phrase),
        "headers": {name: _ref("headers", name) for name in (*ALWAYS, *ERROR_HEADERS.get(status, ()))},
        "content": {problems.CONTENT_TYPE: {"schema": _ref("schemas", problems.ProblemOut.__name__)}},
    }


def _ref(kind: str, name: str) -> Object:
    return {"$ref": f"#/components/{kind}/{name}"}
