"""Requests to a REST service in the dialect of one route: addresses, bodies, and the pages of its lists.

Used by flows (`engine/sender.py`), so it uses no database. The module has over 300 lines because all that differs
between dialects is in one class.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urljoin, urlsplit, urlunsplit
from uuid import UUID

from requests.utils import parse_header_links

from backoffice.kit.http import Request
from backoffice.kit.phrases import message_of, phrase
from syncer.core.answers import MISSING, Answers, at, names_of, nested, records_error
from syncer.core.decide import Payload, Sought, Terms
from syncer.core.ids import SURROGATE, decode_id
from syncer.core.outcome import Exchange, Outcome, Place
from syncer.models import Route
from syncer.models.request_defaults import query_text

PAGE_NAMES = {
    Route.Paging.HEADER: "next-page",
    Route.Paging.CURSOR: "cursor",
    Route.Paging.PAGE: "page",
    Route.Paging.OFFSET: "offset",
}
FRESH = {"Cache-Control": "no-cache"}  # RFC 9111, section 5.2.1.4: what a cache has kept shows nothing of now
TOTALS = (
    *("total", "total_count", "totalCount", "total_items", "totalItems", "totalElements", "count"),
    *("meta.total", "meta.pagination.total", "pagination.total", "page.totalElements"),
)


class ListError(ValueError):
    """A list that can't be used. The message is a phrase that continues the target's name."""

    def __init__(self, message: str, outcome: Outcome = Outcome.PERMANENT) -> None:
        super().__init__(message)
        self.outcome = outcome

    @property
    def why(self) -> str:
        """The message as the phrase that it is."""
        return message_of(self)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Where a page of a list is: a whole address, or parameters of the list's own address."""

    url: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One route at its target, without the database, so that threads can use it.

    Attributes:
        url: the target's address, without a final slash.
        terms: the path of the list, `/posts` or `/posts/`, and how a record is found again.
        item_path: the path of a record, `/posts/{id}.json`; empty: the path with the id behind it, in the same style.
        answers: how its answers are read.
        method: of an update: PUT, PATCH or POST.
        fresh_creates: a create that could neither be repeated nor looked up goes out on a new connection: on one that
            was kept open it can be lost without having arrived.
        constants: the remote names that every record has, even a PATCH.

    The others are the route's columns of the same names.
    """

    url: str
    terms: Terms
    item_path: str = ""
    answers: Answers = field(default_factory=Answers)
    method: str = "PUT"
    wrap: str = ""
    send_id: bool = False
    if_match: bool = False
    paging: str = Route.Paging.LINK
    page_name: str = ""
    first_page: int = 1
    next_field: str = ""
    total: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    constants: frozenset[str] = frozenset()
    fresh_creates: bool = False

    @classmethod
    def of(cls, route: Route) -> Self:
        """Return the endpoint that `route` describes."""
        terms = terms_of(route)
        return cls(
            url=route.target.url.rstrip("/"),
            terms=terms,
            item_path=route.item_path,
            answers=Answers(
                id=route.id_field,
                record=route.record,
                items=route.items_field,
                ok=route.ok,
                error=route.error,
                names=frozenset(route.fields),
            ),
            method=route.update,
            wrap=route.wrap,
            send_id=route.send_id,
            if_match=route.if_match,
            paging=route.paging,
            page_name=route.page_name or PAGE_NAMES.get(Route.Paging(route.paging), ""),
            first_page=route.first_page,
            next_field=route.next_field,
            total=route.total,
            query=route.query,
            constants=frozenset(route.constants),
            fresh_creates=not (route.key_hours or terms.can_look_up),
        )

    # --- single records ----------------------------------------------------------------------------------------------
    def create(self, path: str, payload: Payload, key: UUID, own_id: str | None = None) -> Request:
        """POST the whole record, with a key by which the target may recognize a repeat; or PUT it under our own id."""
        headers = {"Idempotency-Key": str(key)}
        if own_id is not None:
            headers["If-None-Match"] = "*"  # RFC 9110, section 13.1.2: only if there is no such record yet
            return Request(method="PUT", url=self.record(own_id), body=self.body(payload), headers=headers)
        url, body = self._address(path), self.body(payload)
        return Request(method="POST", url=url, body=body, headers=headers, fresh=self.fresh_creates)

    def update(self, remote_id: str, payload: Payload, etag: str = "") -> Request:
        """Send the whole record, or with PATCH the fields in `payload`; `remote_id` is encoded."""
        body = self.body(payload, remote_id if self.send_id else None)
        headers = {"If-Match": etag} if etag else {}
        return Request(method=self.method, url=self.record(remote_id), body=body, headers=headers)

    def delete(self, remote_id: str, etag: str = "") -> Request:
        """DELETE the record; `remote_id` is encoded."""
        return Request(method="DELETE", url=self.record(remote_id), headers={"If-Match": etag} if etag else {})

    def get(self, remote_id: str) -> Request:
        """GET the record; `remote_id` is encoded."""
        return Request(method="GET", url=self.record(remote_id), headers=FRESH)

    def record(self, remote_id: str) -> str:
        """Return the address of one record; `remote_id` is encoded."""
        before, after = self._around_id
        return f"{self.url}{quote(before, safe='/')}{quote(str(decode_id(remote_id)), safe='')}{quote(after, safe='/')}"

    def body(self, payload: Payload, remote_id: str | None = None) -> dict[str, Any]:
        """Return a request's body: dotted names become objects, and the whole is put into its envelope."""
        flat = payload if remote_id is None else {**payload, self.answers.id: decode_id(remote_id)}
        record = nested(flat)
        return nested({self.wrap: record}) if self.wrap else record

    @property
    def place(self) -> Place:
        """Where records are, for a `Location` that names a new one."""
        before, after = self._around_id
        return Place(before=urlsplit(self.url).path + before, after=after)

    @property
    def _around_id(self) -> tuple[str, str]:
        """What stands before and after the id in the path of a record."""
        path = self.terms.path
        if self.item_path:
            before, _, after = self.item_path.partition("{id}")
            return before, after
        return f"{path.rstrip('/')}/", "/" if path.endswith("/") else ""

    def _address(self, path: str) -> str:
        return self.url + quote(path, safe="/")

    # --- lists -------------------------------------------------------------------------------------------------------
    def list_page(self, page: Page | None = None, sought: Sought | None = None) -> Request:
        """GET one page of the list: of all records, or of those that equal `sought` in the fields of its lookup."""
        if page and page.url:
            return Request(method="GET", url=page.url, headers=FRESH)
        path = sought.path if sought else self.terms.path
        query = {name: query_value(value) for name, value in self.query.items()}
        if sought:
            query |= {name: query_value(sought.body[name]) for name in sought.lookup}
        asked = query | dict(page.query if page else self.start)
        return Request(method="GET", url=self._address(path), query=asked, headers=FRESH)

    @property
    def start(self) -> Mapping[str, str]:
        """The parameters of the first page."""
        return {self.page_name: str(self.first_page)} if self.paging == Route.Paging.PAGE else {}

    @property
    def is_counted(self) -> bool:
        """Whether pages are counted up, so that only an empty one, or the total, shows the end of a list."""
        return self.paging in (Route.Paging.PAGE, Route.Paging.OFFSET)

    def records(self, answer: object) -> list[Any]:
        """Return the records of a list answer.

        Raises:
            ListError: the answer is not a list of records with ids.
        """
        if not isinstance(answer, list) and (refusal := self.answers.refusal(answer, levels=1)):
            raise ListError(phrase("answered a list with %(refusal)s", refusal=refusal), Outcome.RETRYABLE)
        records = at(answer, self.answers.items)
        if self.answers.items and (records in (None, {}) or answer == {}):  # Go and PHP write empty lists so
            return []
        if not isinstance(records, list):
            raise self._no_list(answer)
        records = [record for record in records if record is not None]  # where a list was an array with holes
        if why := records_error(records, self.answers):
            raise ListError(why, Outcome.CONFIGURATION)
        return records

    def _no_list(self, answer: object) -> ListError:
        """Return the error of an answer that has no list of records, with the names under which they may be."""
        items = self.answers.items
        nothing = phrase("answered something other than a list")
        what = phrase("answered without a list in '%(place)s'", place=items) if items else nothing
        names = [name for name, value in answer.items() if isinstance(value, list)] if isinstance(answer, dict) else []
        if names:
            why = phrase("%(what)s; its records may be in: %(names)s", what=what, names=names_of(dict.fromkeys(names)))
            return ListError(why, Outcome.CONFIGURATION)
        why = phrase("%(what)s; it has: %(names)s", what=what, names=names_of(answer))
        return ListError(why, Outcome.RETRYABLE)  # it may be a gateway's

    def following(self, exchange: Exchange, answer: object, *, number: int, count: int, is_empty: bool) -> Page | None:
        """Return the next page of a list; None on the last one.

        Args:
            number: how many pages were read.
            count: how many records they had.
            is_empty: the last page had none.

        Raises:
            ListError: the next page is on another host, or its address or cursor is not valid.
        """
        if self.paging == Route.Paging.PAGE:
            return None if is_empty else Page(query={self.page_name: str(self.first_page + number)})
        if self.paging == Route.Paging.OFFSET:
            return None if is_empty else Page(query={self.page_name: str(count)})
        if self.paging == Route.Paging.HEADER:
            link = exchange.headers.get(self.page_name.lower(), "")
            return Page(url=self._here(link)) if link else None
        named = at(answer, self.next_field) if self.next_field else None
        cursor = "" if named in (None, False, "", MISSING) else str(named)
        if SURROGATE.search(cursor):
            raise ListError(phrase("named a next page with an unpaired surrogate in it"))
        if cursor and self.paging == Route.Paging.CURSOR:
            return Page(query={self.page_name: cursor})
        if cursor.startswith(("http://", "https://", "/", "?")):
            return Page(url=self._here(cursor))
        if cursor:
            return Page(query={PAGE_NAMES[Route.Paging.CURSOR]: cursor})
        link = next_link(exchange.headers.get("link", ""))
        return Page(url=self._here(link)) if link else None

    def _here(self, link: str) -> str:
        """Return the address of a next page, which must be on the target's own host.

        Behind a proxy, services often name another scheme than their callers use.

        Raises:
            ListError: it is on another host, or is not valid.
        """
        try:
            following, own = urlsplit(urljoin(self._address(self.terms.path), link)), urlsplit(self.url)
            is_here = following.hostname == own.hostname and following.port in (None, own.port)
            is_here &= following.scheme in ("http", "https")
        except ValueError as error:
            raise ListError(phrase("named a next page whose address is not valid")) from error
        if not is_here:
            raise ListError(phrase("named a next page on another host", quoted=urlunsplit(following)))
        return urlunsplit(following._replace(scheme=own.scheme, netloc=own.netloc))

    def announced(self, exchange: Exchange, answer: object) -> int | None:
        """Return how many records a list answer says that there are; None where it does not say."""
        if self.total:
            return _number(at(answer, self.total))
        headers = exchange.headers
        ranged = re.search(r"/(\d+)\s*$", headers.get("content-range", ""))
        named = [headers.get("x-total-count"), headers.get("x-wp-total"), ranged and ranged[1]]
        if isinstance(answer, dict):
            named += [at(answer, name) for name in TOTALS]
        return next((number for value in named if (number := _number(value)) is not None), None)


def terms_of(route: Route) -> Terms:
    """Return how records of `route` are found again."""
    return Terms(path=route.path, lookup=tuple(route.lookup), fields=route.fields, has_own_ids=bool(route.own_id))


def query_value(value: object) -> str:
    """Return the text by which an address carries a JSON value; null is an empty one."""
    return "" if value is None else query_text(value)


def _number(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if text.isdecimal() and len(text) < 16 and not isinstance(value, bool) else None


def next_link(header: str) -> str:
    """Return the address with `rel="next"` in a `Link` header (RFC 8288); empty where there is none."""
    for link in parse_header_links(header) if header else ():
        if "next" in str(link.get("rel", "")).lower().split():
            return str(link["url"])
    return ""
