"""What the Fake API does with a well-received request, in the manner of https://jsonplaceholder.typicode.com."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.remote.store import Key, Store, link


@dataclass(frozen=True)
class Call:
    """A request that was read."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    raw: bytes = b""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    applied: bool = False

    @property
    def content(self) -> bytes:
        """The body as it is sent: JSON, or bytes as they are."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Paging:
    """Lists answer `{"items": […], "next": …}`, `size` records a page."""

    size: int
    address: bool = False  # `next` is the next page's whole address, not a cursor to send back as `?cursor=`


class Auth(Protocol):
    def refuse(self, call: Call) -> Answer | None: ...


class Repeats(Protocol):
    def answer(self, call: Call, work: Callable[[], Answer]) -> Answer: ...


NOT_FOUND = Answer(404, {})
NOT_ALLOWED = Answer(405, {})
NOT_AN_OBJECT = Answer(400, {"detail": "The body must be a JSON object."})


class Api:
    """The store as REST: `/posts`, `/posts/1`, `/posts/1/comments`."""

    closes = False  # a connection is closed when a second request arrives on it

    def __init__(self, store: Store) -> None:
        self.store = store
        self.paging: Paging | None = None
        self.auth: Auth | None = None
        self.keys: Repeats | None = None

    def answer(self, call: Call, address: str) -> Answer:
        """Act on `call`; `address` is where this service is reached, `http://127.0.0.1:3999`."""
        if self.auth and (refused := self.auth.refuse(call)):
            return refused
        if self.keys and call.method == "POST" and "Idempotency-Key" in call.headers:
            return self.keys.answer(call, lambda: self._answer(call, address))
        return self._answer(call, address)

    def _answer(self, call: Call, address: str) -> Answer:
        if call.method in ("POST", "PUT", "PATCH") and not isinstance(call.body, dict):
            return NOT_AN_OBJECT
        match call.path.strip("/").split("/"):
            case [collection]:
                return self._collection(collection, call, {}, address)
            case [collection, key]:
                return self._record(collection, int(key) if key.isdecimal() else key, call)
            case [parent, key, collection] if key.isdecimal() and self.store.get(parent, int(key)):
                return self._collection(collection, call, {link(parent): int(key)}, address)
        return NOT_FOUND

    def _collection(self, collection: str, call: Call, under: dict[str, int], address: str) -> Answer:
        if call.method == "POST":
            return Answer(201, self.store.create(collection, {**call.body, **under}), applied=True)
        if call.method != "GET":
            return NOT_ALLOWED
        found = self.store.find(collection, {**call.query, **{name: str(key) for name, key in under.items()}})
        return Answer(200, self._page(found, call, address) if self.paging else found)

    def _page(self, found: list[dict[str, Any]], call: Call, address: str) -> dict[str, Any]:
        assert self.paging
        rest = [record for record in found if record["id"] > int(call.query.get("cursor", 0))]
        page = rest[: self.paging.size]
        cursor = str(page[-1]["id"]) if len(rest) > len(page) else None
        if cursor and self.paging.address:
            cursor = f"{address}{call.path}?cursor={cursor}"
        return {"items": page, "next": cursor}

    def _record(self, collection: str, key: Key, call: Call) -> Answer:
        match call.method:
            case "GET":
                record = self.store.get(collection, key)
                return Answer(200, record) if record else NOT_FOUND
            case "PUT":
                record = self.store.replace(collection, key, call.body)
            case "PATCH":
                record = self.store.merge(collection, key, call.body)
            case "DELETE":
                record = {} if self.store.delete(collection, key) else None
            case _:
                return NOT_ALLOWED
        return NOT_FOUND if record is None else Answer(200, record, applied=True)
