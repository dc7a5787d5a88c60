"""The requests that a REST service understands, one record each, and its lists."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urljoin, urlsplit
from uuid import UUID

from backoffice.kit.http import Request
from syncer.core.decide import Payload
from syncer.core.outcome import SURROGATE, decode_id
from syncer.models import Route


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
