"""What the API's description says of an endpoint's operations, as options of ninja's decorators."""

from typing import Any
from uuid import UUID

from backoffice.kit.api.problems import ProblemOut
from content.base.endpoint import Endpoint

# The type of a primary key: its path converter and its type in Python. What the converter does not match is a 404.
KEYS: dict[str, tuple[str, type]] = {"UUIDField": ("uuid", UUID)}
INTEGER_KEY = ("int", int)
LOCATION = {
    "responses": {201: {"headers": {"Location": {"description": "Its address.", "schema": {"type": "string"}}}}}
}
READ_ERRORS = (404,)
WRITE_ERRORS = (400, 404, 409, 412, 422)


def object_path(endpoint: Endpoint, rest: str = "") -> tuple[str, Any]:
    """The path of one object, and the type of its key."""
    converter, kind = KEYS.get(endpoint.key_column.get_internal_type(), INTEGER_KEY)
    return f"{endpoint.address}{{{converter}:id}}/{rest}", kind


def docs(endpoint: Endpoint, action: str, summary: str, success: Any, *errors: int, name: str = "") -> dict[str, Any]:
    """Args:
    success: the answers that are no errors, `{200: shape}`.
    """
    return {
        "operation_id": f"{name or endpoint.name}_{action}",
        "summary": summary,
        "description": _restrictions(endpoint) if action in ("create", "replace", "change") else None,
        "response": success | dict.fromkeys(sorted({401, 403, *errors}), ProblemOut),
    }


def list_docs(endpoint: Endpoint, name: str, summary: str, *errors: int) -> dict[str, Any]:
    shape = endpoint.page | list[endpoint.out] | list[endpoint.part]  # type: ignore[name-defined]
    text = "Filters match exactly, but for those that say otherwise. `all=true` answers one array instead of a page."
    return docs(endpoint, "list", summary, {200: shape}, 422, *errors, name=name) | {"description": text}


def create_docs(endpoint: Endpoint, name: str, summary: str, *errors: int) -> dict[str, Any]:
    made = docs(endpoint, "create", summary, {201: endpoint.out}, 400, 409, 422, *errors, name=name)
    return made | {"openapi_extra": LOCATION}


def _restrictions(endpoint: Endpoint) -> str:
    parts = (
        f"`{name}` needs the permission `{needed}`; leave it out."
        for name, needed in endpoint.model.field_permissions.items()
    )
    return " ".join(parts)
