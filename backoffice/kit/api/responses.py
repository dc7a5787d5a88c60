"""JSON by orjson: the database's dictionaries become bytes without objects in between."""

import json
from collections import Counter
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


def _refuse_repeated_names(pairs: list[tuple[str, object]]) -> None:
    names = [name for name, _ in pairs]
    if len({*names}) < len(names):
        name = next(name for name, count in Counter(names).items() if count > 1)
        raise ValueError(f"the name “{name}” occurs twice in one object")


_NAMES = json.JSONDecoder(object_pairs_hook=_refuse_repeated_names)


class JSONParser(Parser):
    """A parser of strict JSON: no NaN and no unpaired surrogates, which neither database can keep, no name twice.

    Raises:
        ValueError: the body is something else; the message says what and where.
    """

    def parse_body(self, request: HttpRequest) -> Any:
        value = orjson.loads(request.body)
        try:
            _NAMES.decode(request.body.decode())  # orjson takes the last of two values and says nothing
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        return value
