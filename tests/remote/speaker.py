"""A Fake API that speaks a dialect: the store of the plain one, with other shapes, habits and pages around it."""

import hashlib
import json
import threading
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode

from tests.remote.api import NOT_ALLOWED, NOT_FOUND, Answer, Api, Call
from tests.remote.dialect import Dialect, Pages
from tests.remote.store import Key, Record, Store

HTML = "<!doctype html><title>Done</title>"


def at(value: Any, place: str) -> Any:
    """What `value` has at a dotted place; None where it has nothing."""
    for name in place.split(".") if place else ():
        value = value.get(name) if isinstance(value, dict) else None
    return value


def put(value: Any, place: str, around: dict[str, Any] | None = None) -> Any:
    """`around` with `value` at a dotted place, objects on the way merged; `value` itself where there is no place."""
    if not place:
        return value if around is None or not isinstance(value, dict) else {**value, **around}
    first, _, rest = place.partition(".")
    around = dict(around or {})
    inner = around.get(first)
    around[first] = put(value, rest, inner if isinstance(inner, dict) else None)
    return around


def merge(old: Record, new: Record) -> Record:
    """`old` with the values of `new`, objects merged."""
    both = {name: merge(old[name], new[name]) for name in old.keys() & new.keys() if isinstance(new[name], dict)}
    return {**old, **new, **both}


@dataclass
class Ghost:
    """A record that was deleted, and that lists still have for `left` requests; None: for ever."""

    record: Record
    left: int | None


class Speaker(Api):
    """The store in a dialect."""

    def __init__(self, store: Store, dialect: Dialect) -> None:
        super().__init__(store)
        self.dialect = dialect
        self.closes = dialect.closes
        self._hidden: dict[tuple[str, Key], int] = {}
        self._ghosts: defaultdict[str, dict[Key, Ghost]] = defaultdict(dict)
        self._lock = threading.RLock()

    def seed(self, collection: str, *records: Record) -> list[Any]:
        """Put records there without a request, in the form in which the service keeps them; return their ids."""
        keys = self.store.load(collection, [self.dialect.stored(record) for record in records])
        return [self.dialect.id_as(key) for key in keys]

    def _answer(self, call: Call, address: str) -> Answer:
        with self._lock:
            self._pass()
            answer = self._act(call, address)
        if self.dialect.errors_in_200 and answer.status >= 400 and not answer.applied:
            why = at(answer.body, "detail") or f"error {answer.status}"
            return Answer(200, {self.dialect.flag or "success": False, "errors": [why]})
        return answer

    def _pass(self) -> None:
        """Another request: what is hidden comes nearer, what lingers goes."""
        self._hidden = {place: left - 1 for place, left in self._hidden.items() if left > 1}
        for name, ghosts in self._ghosts.items():
            for ghost in ghosts.values():
                ghost.left = None if ghost.left is None else ghost.left - 1
            self._ghosts[name] = {key: ghost for key, ghost in ghosts.items() if ghost.left is None or ghost.left >= 0}

    def _act(self, call: Call, address: str) -> Answer:
        collection = call.path.strip("/").split("/")[0]
        if call.path.strip("/") == collection:
            return self._create(collection, call, address) if call.method == "POST" else self._list(call, address)
        before, _, after = self.dialect.item.format(list=f"/{collection}", id="\0").partition("\0")
        if not (call.path.startswith(before) and call.path.endswith(after)):
            return NOT_FOUND
        text = unquote(call.path[len(before) : len(call.path) - len(after)])
        key = self._key(collection, text)
        if call.method == "DELETE":
            return self._delete(collection, key, call)
        if call.method == "GET":
            record = None if key is None else self.store.get(collection, key)
            return NOT_FOUND if record is None else self._single(record, 200)
        if call.method == "PUT" and self.dialect.given_ids and key is None:
            return self._create(collection, call, address, given=text)
        if call.method not in self.dialect.updates:
            return NOT_ALLOWED
        return NOT_FOUND if key is None else self._update(collection, key, call)

    def _key(self, collection: str, text: str) -> Key | None:
        """The key of the visible record whose id is spelled like this."""
        keys = [key for key in self.store.records(collection) if (collection, key) not in self._hidden]
        return next((key for key in keys if str(self.dialect.id_as(key)) == text), None)

    # --- single records ----------------------------------------------------------------------------------------------
    def _create(self, collection: str, call: Call, address: str, given: Key | None = None) -> Answer:
        sent = at(call.body, self.dialect.wrap)
        if not isinstance(sent, dict):
            return Answer(400, {"detail": f"The body must have an object in {self.dialect.wrap!r}."})
        fields = self.dialect.stored(sent)
        if self._is_taken(collection, fields):
            return Answer(self.dialect.refuses, {"detail": "has already been taken"})
        if given is None:
            record = self.store.create(collection, fields)
        else:
            self.store.load(collection, [fields | {"id": given}])
            record = self.store.get(collection, given) or {}
        created = self.dialect.created
        if created.hidden:
            self._hidden[collection, record["id"]] = created.hidden
        answer = self._single(record, created.status, created.body)
        path = self.dialect.item.format(list=f"/{collection}", id=quote(str(self.dialect.id_as(record["id"])), safe=""))
        locations = {"absolute": address + path, "path": path, "relative": path.rpartition("/")[2], "": ""}
        location = {"Location": locations[created.location]} if created.location else {}
        return replace(answer, headers={**answer.headers, **location}, applied=True)

    def _update(self, collection: str, key: Key, call: Call) -> Answer:
        sent = at(call.body, self.dialect.wrap)
        old = self.store.get(collection, key)
        if not isinstance(sent, dict) or old is None:
            return Answer(400, {"detail": f"The body must have an object in {self.dialect.wrap!r}."})
        if refusal := self._precondition(old, call):
            return refusal
        fields = self.dialect.stored(sent)
        if self._is_taken(collection, fields, but=key):
            return Answer(self.dialect.refuses, {"detail": "has already been taken"})
        merged = call.method == "PATCH" or (call.method == "POST" and "PUT" not in self.dialect.updates)
        new = self.store.replace(collection, key, merge(old, fields) if merged else fields)
        updated = self.dialect.updated
        status = updated.unchanged if updated.unchanged and new == old else updated.status
        body = "empty" if status in (204, 304) else updated.body
        return replace(self._single(new or {}, status, body), applied=new != old)

    def _delete(self, collection: str, key: Key | None, call: Call) -> Answer:
        old = None if key is None else self.store.get(collection, key)
        if key is None or old is None:
            return NOT_FOUND
        if refusal := self._precondition(old, call):
            return refusal
        self.store.delete(collection, key)
        deleted = self.dialect.deleted
        if deleted.flag:
            self._ghosts[collection][key] = Ghost({**old, deleted.flag: True}, None)
        elif deleted.listed:
            self._ghosts[collection][key] = Ghost(old, deleted.listed)
        return Answer(deleted.status, b"" if deleted.status == 204 else {}, applied=True)

    def _precondition(self, record: Record, call: Call) -> Answer | None:
        given = call.headers.get("If-Match")
        if self.dialect.etags == "demanded" and given is None:
            return Answer(428, {"detail": "An If-Match header is needed."})
        if self.dialect.etags and given not in (None, "*", _etag(record)):
            return Answer(412, {"detail": "The record has changed."})
        return None

    def _is_taken(self, collection: str, fields: Record, but: Key | None = None) -> bool:
        names = [name for name in self.dialect.unique if at(fields, name) is not None]
        return bool(names) and any(
            key != but and all(at(record, name) == at(fields, name) for name in names)
            for key, record in self.store.records(collection).items()
        )

    def _single(self, record: Record, status: int, body: str = "record") -> Answer:
        headers = {"ETag": _etag(record)} if self.dialect.etags else {}
        if body == "empty":
            return Answer(status, b"", headers)
        if body not in ("record", "list", "no id"):
            return Answer(status, (HTML if body == "html" else body).encode(), {"Content-Type": "text/html", **headers})
        shown = self._shown(record, self.dialect.id_as, with_id=body != "no id")
        return Answer(status, self._around([shown] if body == "list" else shown, self.dialect.record), headers)

    def _shown(
        self, record: Record, write: Any, *, with_id: bool = True, only: tuple[str, ...] | None = None
    ) -> Record:
        shown = {name: value for name, value in record.items() if name != "id" and (only is None or name in only)}
        return put(write(record["id"]), self.dialect.id, shown) if with_id else shown

    def _around(self, value: Any, place: str) -> Any:
        flag = {self.dialect.flag: True} if self.dialect.flag and (place or isinstance(value, dict)) else {}
        beside = {**self.dialect.beside, **flag} if place or flag else {}
        return put(value, place, beside or None)

    # --- lists -------------------------------------------------------------------------------------------------------
    def _list(self, call: Call, address: str) -> Answer:
        if call.method != "GET":
            return NOT_ALLOWED
        dialect, collection = self.dialect, call.path.strip("/")
        everything = [
            record
            for key, record in {
                **self.store.records(collection),
                **{key: ghost.record for key, ghost in self._ghosts[collection].items()},
            }.items()
            if (collection, key) not in self._hidden
        ]
        pages = dialect.pages or Pages()
        known = {name for record in everything for name in _names(record)}
        wanted = {name: value for name, value in call.query.items() if name in known}
        if wanted and dialect.filters == "refused":
            return Answer(400, {"detail": f"Unknown filter: {', '.join(wanted)}"})
        found = everything if dialect.filters == "ignored" else [one for one in everything if _fits(one, wanted)]
        page, next_page = found, None
        headers: dict[str, str] = {}
        if dialect.pages:
            start = _start(pages, call)
            page = found[start : start + pages.size]
            next_page = start + pages.size if start + pages.size < len(found) else None
        write = dialect.id_listed or dialect.id_as
        listed: Any = [self._shown(record, write, only=dialect.shows) for record in page]
        body = dialect.empty if not page and dialect.empty is not None else self._around(listed, dialect.items)
        if dialect.pages:
            body, headers = _led_on(pages, call, address, body, next_page)
        if dialect.total:
            count = len(everything if dialect.counts == "all" else found)
            body, headers = _counted(dialect.total, body, headers, count, len(page))
        return Answer(200, body, headers)


def _names(record: Record, before: str = "") -> set[str]:
    """The dotted names of all values of a record."""
    names: set[str] = set()
    for name, value in record.items():
        names |= _names(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}"}
    return names


def _fits(record: Record, wanted: dict[str, str]) -> bool:
    return all(str(at(record, name)) == value for name, value in wanted.items())


def _etag(record: Record) -> str:
    return f'"{hashlib.sha1(json.dumps(record, sort_keys=True).encode()).hexdigest()[:12]}"'


def _start(pages: Pages, call: Call) -> int:
    """The number of the first record of the page that is asked for."""
    named = call.query.get(pages.name if pages.by in ("cursor", "page", "offset") and pages.name else "at", "")
    if pages.by == "page":
        return (int(named or pages.first) - pages.first) * pages.size
    return int(named.removeprefix("from-") or 0)


def _led_on(pages: Pages, call: Call, address: str, body: Any, next_page: int | None) -> tuple[Any, dict[str, str]]:
    """The body and headers of a page, with what leads to the next one."""
    query = urlencode({**call.query, "at": str(next_page)})
    bases = {"absolute": f"{address}{call.path}?", "path": f"{call.path}?", "query": "?"}
    url = None if next_page is None else bases[pages.address] + query
    match pages.by:
        case "link":
            links = [part for part in pages.links if url or "{next}" not in part]
            first = f"{address}{call.path}?at=0"
            return body, {"Link": ", ".join(links).format(next=url, first=first)} if links else {}
        case "header":
            return body, {pages.name: url} if url else {}
        case "body":
            return put(pages.last if url is None else url, pages.name, body), {}
        case "cursor":
            place = "meta.next"
            return put(pages.last if url is None else f"from-{next_page}", place, body), {}
    return body, {}


def _counted(place: str, body: Any, headers: dict[str, str], count: int, here: int) -> tuple[Any, dict[str, str]]:
    if place == "Content-Range":
        return body, {**headers, place: f"posts 0-{max(0, here - 1)}/{count}"}
    if place.startswith("X-"):
        return body, {**headers, place: str(count)}
    return put(count, place, body), headers
