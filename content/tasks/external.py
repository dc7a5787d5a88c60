"""The client of the external API that items are enriched from.

The external API is a collection at one address: `GET {address}/{id}` returns a record, `GET {address}` a list in pages.
The setting TASKS_EXTERNAL_PAGING chooses one of two ways to read the pages:

    page      `?_page=2&_limit=50` returns an array, as https://jsonplaceholder.typicode.com/posts does
    cursor    `?cursor=…&limit=50` returns `{"items": […], "next": …}`, as every list of this program does
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ValidationError

from backoffice.kit.api.problems import FieldError, InvalidError
from backoffice.kit.http import Answer, Request
from backoffice.kit.masking import secrets_of
from content.tasks.records import MOST, check_json, check_record
from content.tasks.upstream import FailedError, NotSetUpError, Upstream, client

NAME = "The external API"
LIST_MOST = 2 * 1024 * 1024  # bytes of one page
PAGE = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)  # a page's number
COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)
WRONG_CURSOR = FieldError("cursor", "This is not a cursor that a list gave.")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of records; `next` is the cursor of the next page, or None on the last page."""

    items: list[dict[str, Any]]
    next: str | None


def record(name: str) -> dict[str, Any]:
    """Return the record with the id `name`.

    Raises:
        InvalidError: there is no such record.
        UpstreamError: the external API did not return the record.
    """
    service, answer = _ask(f"/{quote(name, safe='')}", {}, most=MOST)
    if answer.status in (404, 410):
        raise InvalidError(FieldError("external_id", f"{NAME} has no record {name}."))
    fields = service.json(answer)
    check(fields)
    return dict(fields)


def check(value: object) -> None:
    """Refuse a record that can't be kept.

    Raises:
        FailedError: the record, alone or merged with the item's stored data, can't be kept.
    """
    try:
        check_record(value)
    except ValidationError as error:
        raise FailedError(f"{NAME} sent a record that {error.messages[0]}") from error


def posts(*, limit: int, cursor: str | None) -> Page:
    """Return at most `limit` records, from `cursor` on: the `next` of the previous page, or None for the first page.

    Raises:
        InvalidError: the cursor did not come from a list.
        UpstreamError: the external API did not return the records.
    """
    return _by_cursor(limit, cursor) if settings.TASKS_EXTERNAL_PAGING == "cursor" else _by_page(limit, cursor)


def _by_page(limit: int, cursor: str | None) -> Page:
    if not PAGE.fullmatch(cursor or "1"):
        raise InvalidError(WRONG_CURSOR)
    number = int(cursor or 1)
    service, answer = _ask("", {"_page": str(number), "_limit": str(limit)}, most=LIST_MOST)
    records = _records(service.json(answer))
    total = answer.headers.get("x-total-count", "")
    if len(records) > limit:  # the API has no pages and sent all records
        records, total = records[(number - 1) * limit :][:limit], str(len(records))
    more = number * limit < int(total) if COUNT.fullmatch(total) else len(records) == limit
    return Page(items=records, next=str(number + 1) if more else None)


def _by_cursor(limit: int, cursor: str | None) -> Page:
    service, answer = _ask("", {"limit": str(limit)} | ({"cursor": cursor} if cursor else {}), most=LIST_MOST)
    if cursor and answer.status in (400, 404, 422):
        raise InvalidError(WRONG_CURSOR)
    page = service.json(answer)
    if not isinstance(page, dict) or not isinstance(page.get("next"), str | None):
        raise FailedError(f"{NAME} sent no page: an object with `items` and `next`.")
    return Page(items=_records(page.get("items")), next=page["next"])


def _records(value: object) -> list[dict[str, Any]]:
    """Return `value` as a list of records.

    Raises:
        FailedError: it is not a list of JSON objects, or can't be kept.
    """
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise FailedError(f"{NAME} sent no list of JSON objects.")
    try:
        check_json(value)
    except ValidationError as error:
        raise FailedError(f"{NAME} sent a list that {error.messages[0]}") from error
    return value


def _ask(path: str, query: dict[str, str], *, most: int) -> tuple[Upstream, Answer]:
    """Send a GET to the external API as the settings describe it; its answer may have at most `most` bytes.

    Raises:
        NotSetUpError: no address is set.
    """
    if not settings.TASKS_EXTERNAL_URL:
        raise NotSetUpError(NAME, "TASKS_EXTERNAL_URL")
    authorization = settings.TASKS_EXTERNAL_AUTHORIZATION
    service = Upstream(
        name=NAME,
        client=client(settings.TASKS_EXTERNAL_TIMEOUT),
        total=settings.TASKS_EXTERNAL_TOTAL,
        first_wait=settings.TASKS_RETRY_SECONDS,
        most=most,
        secrets=tuple(secrets_of(authorization)),
    )
    headers = {"Authorization": authorization} if authorization else {}
    request = Request(method="GET", url=settings.TASKS_EXTERNAL_URL + path, query=query, headers=headers)
    return service, service.ask(request)
