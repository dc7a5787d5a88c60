"""JSON by orjson: the database's dictionaries become bytes without objects in between."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from ninja.parser import Parser

JSON = "application/json"


def dumps(data: object) -> bytes:
    """Return `data` as JSON; decimals become text, so that no digit is lost."""
    return orjson.dumps(data, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")


def json_response(
    data: object, *, status: int = 200, content_type: str = JSON, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    return HttpResponse(dumps(data), status=status, content_type=content_type, headers=dict(headers or {}))


def empty_response(status: int, **headers: str) -> HttpResponse:
    """Return an answer without a body and without a Content-Type."""
    response = HttpResponse(status=status, headers=headers)
    del response["Content-Type"]
    return response


class JSONParser(Parser):
    """A parser of strict JSON: no NaN and no unpaired surrogates, which neither database can keep."""

    def parse_body(self, request: HttpRequest) -> Any:
        return orjson.loads(request.body)
