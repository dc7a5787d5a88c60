"""Requests to a REST service, one record each, its lists, and the verdicts on its answers.

Runs in the sender's threads, so it uses no database.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urljoin, urlsplit
from uuid import UUID

from django.utils import timezone

from backoffice.kit.http import Request
from syncer.core.decide import Action, Payload
from syncer.core.outcome import (
    SURROGATE,
    Exchange,
    Outcome,
    UnreadableError,
    Verdict,
    classify,
    decode_id,
    read_json,
)
from syncer.engine.sender import Sender, SendResult, Sent
from syncer.models import Route

# Nothing was changed, but a retry without a pause would end in the same way.
CUT_OFF = Verdict(outcome=Outcome.RETRYABLE, why="has a list that could not be read to its end in time")
CIRCLE = Verdict(outcome=Outcome.PERMANENT, why="lists its pages in a circle")
OUR_SECRET = Verdict(outcome=Outcome.UNKNOWN, why="answered a create with our own secret as the record's id")


class ListError(ValueError):
    """An answer that is not a list of records. The message is a predicate whose subject is the target."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The addresses and dialect of one route at its target, without the database, so that threads can use it.

    Attributes:
        url: the target's address, without a final slash.
        path: the collection, `/posts` or `/posts/`; records are addressed in the same style.
        patch: True to send changes as PATCH of the fields that differ, False as PUT of the whole record.
        id_field, items_field, next_field: names in the target's answers; see the route's columns.
        lookup: the remote names by whose values a record is found again.
    """

    url: str
    path: str
    patch: bool = False
    id_field: str = "id"
    items_field: str = ""
    next_field: str = ""
    lookup: tuple[str, ...] = ()

    @classmethod
    def of(cls, route: Route) -> Self:
        """Return the endpoint that `route` describes."""
        return cls(
            url=route.target.url.rstrip("/"),
            path=route.path,
            patch=route.update == Route.Update.PATCH,
            id_field=route.id_field,
            items_field=route.items_field,
            next_field=route.next_field,
            lookup=tuple(route.lookup),
        )

    def create(self, path: str, payload: Payload, key: UUID) -> Request:
        """POST the whole record, with a key by which the target may recognize a repeat."""
        return Request(method="POST", url=self._address(path), body=payload, headers={"Idempotency-Key": str(key)})

    def update(self, remote_id: str, body: Payload) -> Request:
        """PUT the whole record as `body`, or PATCH the fields in `body`; `remote_id` is encoded."""
        return Request(method="PATCH" if self.patch else "PUT", url=self.record(remote_id), body=body)

    def delete(self, remote_id: str) -> Request:
        """DELETE the record; `remote_id` is encoded."""
        return Request(method="DELETE", url=self.record(remote_id))

    def page(self, cursor: str | None, like: Payload | None = None) -> Request:
        """GET one page of the list, of all records or of those that equal `like` in the lookup's fields.

        A cursor is sent back as `?cursor=…`, unless it is the next page's address.

        Raises:
            ListError: the next page is on another host, or its address or cursor is not valid.
        """
        if cursor and SURROGATE.search(cursor):
            raise ListError("named a next page with an unpaired surrogate in it")
        if cursor and cursor.startswith(("http://", "https://", "/")):
            try:
                following = urljoin(self.url, cursor)
                is_here = urlsplit(following)[:2] == urlsplit(self.url)[:2]
            except ValueError as error:
                raise ListError("named a next page whose address is not valid") from error
            if not is_here:
                raise ListError(f"named a next page on another host: {following}")
            return Request(method="GET", url=following)
        query = {name: _query_value(like[name]) for name in self.lookup if name in like} if like else {}
        return Request(method="GET", url=self._address(self.path), query=query | ({"cursor": cursor} if cursor else {}))

    def records(self, answer: object) -> tuple[list[Any], str | None]:
        """Return the records of a list answer, and the cursor of the next page (None on the last page).

        Raises:
            ListError: the answer is not a list answer.
        """
        cursor = None
        if self.items_field:
            if not isinstance(answer, dict) or self.items_field not in answer:
                raise ListError(f"answered a list without {self.items_field!r}")
            cursor = answer.get(self.next_field) if self.next_field else None
            answer = answer[self.items_field]
        if not isinstance(answer, list):
            raise ListError("answered something other than a list")
        return answer, None if cursor is None else str(cursor)

    def _address(self, path: str) -> str:
        return self.url + quote(path, safe="/")

    def record(self, remote_id: str) -> str:
        """Return the address of one record; `remote_id` is encoded."""
        slash = "/" if self.path.endswith("/") else ""
        return f"{self._address(self.path.rstrip('/'))}/{quote(str(decode_id(remote_id)), safe='')}{slash}"


def _query_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def send_change(
    sender: Sender, action: Action, endpoint: Endpoint, request: Request, *, ends: float
) -> "Future[SendResult]":
    """Send one create, update or delete, unless the lease (monotonic seconds) would end too soon."""

    def work() -> SendResult:
        sent = sender.exchange(request, ends)
        if sent is None:
            return SendResult(verdict=None)
        verdict = classify(action, sent.exchange, now=timezone.now(), id_field=endpoint.id_field)
        if sender.is_secret(verdict.record.get(endpoint.id_field)):
            verdict = OUR_SECRET
        return SendResult(verdict=verdict, sent=(sent,))

    return sender.submit(work)


def look_up(sender: Sender, endpoint: Endpoint, like: Payload, *, ends: float) -> "Future[SendResult]":
    """List the records that equal `like` in the fields of the route's lookup."""
    return sender.submit(lambda: list_records(sender, endpoint, like, ends))


def list_records(
    sender: Sender, endpoint: Endpoint, like: Payload | None = None, ends: float = float("inf")
) -> SendResult:
    """Fetch the target's list, page by page, until its end, a failure, or the end of the lease.

    Args:
        like: list only the records that equal this payload in the fields of the route's lookup.
        ends: when the lease ends, in monotonic seconds.

    Returns:
        The verdict on the last answer, None if nothing was sent; with the exchanges, and on success the records.
    """
    sent: list[Sent] = []
    records: list[Any] = []
    cursor = None
    seen: set[str] = set()
    while True:
        try:
            latest = sender.exchange(endpoint.page(cursor, like), ends)
            if latest is None:
                return SendResult(verdict=CUT_OFF if sent else None, sent=tuple(sent))
            sent.append(latest)
            verdict = classify(Action.LOOKUP, latest.exchange, now=timezone.now())
            if verdict.outcome is not Outcome.DONE:
                return SendResult(verdict=verdict, sent=tuple(sent))
            page, following = endpoint.records(read_json(latest.exchange.body))
            _refuse_secrets(sender, endpoint, page, latest.exchange, is_import=like is None)
        except (ListError, UnreadableError) as error:
            verdict = Verdict(outcome=Outcome.PERMANENT, why=sender.mask.hide(str(error)))
            return SendResult(verdict=verdict, sent=tuple(sent))
        records += page
        if not following:
            return SendResult(verdict=verdict, sent=tuple(sent), records=tuple(records))
        if following in seen:
            return SendResult(verdict=CIRCLE, sent=tuple(sent))
        seen.add(following)
        cursor = following


def _refuse_secrets(
    sender: Sender, endpoint: Endpoint, page: Sequence[Any], exchange: Exchange, *, is_import: bool
) -> None:
    """Keep our secrets out of the database: out of ids, and in an import out of whole records.

    Raises:
        ListError: the answer holds a secret of ours.
    """
    if is_import and sender.returned_secret(exchange):
        raise ListError("sent our own secret back in a list")
    if any(sender.is_secret(record.get(endpoint.id_field)) for record in page if isinstance(record, dict)):
        raise ListError("listed a record with our own secret as its id")
