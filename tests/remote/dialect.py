"""How a Fake API speaks: the shapes of its requests and answers, the form in which it keeps what it is sent, its pages.

remote.speak(Dialect(id="_id", wrap="data", record="data", items="data", paging="link", size=10))

Places are dotted paths, `data.attributes`. What a dialect leaves out is as in the plain Fake API.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.remote.store import Key

Keep = Callable[[str, Any], Any]  # (name, value as sent) → value as stored, for each value that is no object


@dataclass(frozen=True, kw_only=True)
class Created:
    """The answer to a create that was carried out."""

    status: int = 201
    body: str = "record"  # or "empty", "list" (of one record), "no id", "html", or a text
    location: str = ""  # "absolute", "path" (from the host on) or "relative" (only the id)
    hidden: int = 0  # later requests until lists and paths show the record


@dataclass(frozen=True, kw_only=True)
class Updated:
    """The answer to an update that was carried out, or (`unchanged`) that changed nothing."""

    status: int = 200
    body: str = "record"  # or "empty", "html", or a text
    unchanged: int = 0  # 0: as any other update


@dataclass(frozen=True, kw_only=True)
class Deleted:
    """The answer to a delete, and what is seen of the record afterwards."""

    status: int = 204
    listed: int = 0  # later requests for which the list still has the record
    flag: str = ""  # the list has it for ever, with this field set to true; paths answer 404


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Lists come in pages of `size` records; `by` says what leads on."""

    size: int = 2
    by: str = "silence"  # or "link", "header", "body", "cursor", "page", "offset"
    name: str = ""  # of the header, of the field in the body, or of the parameter
    links: tuple[str, ...] = ('<{next}>; rel="next"',)  # those with {next} are left out on the last page
    address: str = "absolute"  # of the next page; or "path", "query"
    first: int = 1  # the number of the first page
    last: Any = None  # what the body has in place of the next page's cursor on the last one


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The dialect of one service, for all of its collections.

    Attributes:
        keep: each value as it is stored and shown.
        id, id_as, id_listed: where a record has its id, how it is written, and how lists write it (as `id_as`).
        wrap, record, items: where a request, an answer for one record, and a list answer have the record(s).
        empty: a list answer without records; None: as any other.
        shows: the fields that lists show; None: all.
        filters: lists are filtered by the stored form ("stored"); or filters are "ignored" or "refused" with 400.
        total, counts: a header or place that says how many records there are: "all", or those of the "filter".
        unique, refuses: fields that no two records may share in their stored form, and the status of the refusal.
        errors_in_200: refusals come with status 200.
        flag: a field of each answer that is an object, true if it was carried out.
        given_ids: PUT makes a record that is not there.
        etags: answers carry ETags, and If-Match is honoured; "demanded": a change without one is refused with 428.
        closes: the server takes one request a connection, and closes it when the next one arrives.
        item: the path of a record.
        updates: the methods that change a record.
        beside: what an answer that is an object has beside the record(s).
    """

    keep: Keep = lambda _, value: value
    id: str = "id"
    id_as: Callable[[Key], Any] = lambda key: key
    id_listed: Callable[[Key], Any] | None = None
    wrap: str = ""
    record: str = ""
    items: str = ""
    empty: Any = None
    shows: tuple[str, ...] | None = None
    filters: str = "stored"
    pages: Pages | None = None
    total: str = ""
    counts: str = "filter"
    created: Created = field(default_factory=Created)
    updated: Updated = field(default_factory=Updated)
    deleted: Deleted = field(default_factory=Deleted)
    unique: tuple[str, ...] = ()
    refuses: int = 422
    errors_in_200: bool = False
    flag: str = ""
    given_ids: bool = False
    etags: str = ""
    closes: bool = False
    item: str = "{list}/{id}"
    updates: tuple[str, ...] = ("PUT", "PATCH")
    beside: dict[str, Any] = field(default_factory=dict)

    def stored(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return what the service keeps of an object that it was sent."""
        return {
            name: self.stored(value) if isinstance(value, dict) else self.keep(name, value)
            for name, value in fields.items()
        }
