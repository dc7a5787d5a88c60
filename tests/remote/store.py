"""The records that the Fake API keeps: any collection, JSON objects as given, ids from one sequence a collection."""

import copy
import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Record = dict[str, Any]
Key = int | str


def link(collection: str) -> str:
    """The field by which children name their record in `collection`: `posts` gives `postId`."""
    return f"{collection.removesuffix('s')}Id"


class Store:
    """All collections. Every method is atomic and gives copies."""

    def __init__(self) -> None:
        self.cascade = True  # deleting a record deletes those that name it, as a database's foreign key would
        self.filters = True  # lists can be filtered at all; off, every filter is ignored
        self._lock = threading.RLock()
        self._tables: defaultdict[str, dict[Key, Record]] = defaultdict(dict)
        self._last_id: defaultdict[str, int] = defaultdict(int)  # an id is never given twice

    def records(self, collection: str) -> dict[Key, Record]:
        """All records of `collection` by id, oldest first."""
        with self._lock:
            return copy.deepcopy(self._tables[collection.strip("/")])

    def find(self, collection: str, filters: Mapping[str, str]) -> list[Record]:
        """The records whose fields, as text, equal `filters`; a name that no record has filters nothing."""
        records = list(self.records(collection).values())
        known = {name for record in records for name in record} if self.filters else set()
        wanted = {name: value for name, value in filters.items() if name in known}
        return [record for record in records if all(str(record.get(name)) == value for name, value in wanted.items())]

    def get(self, collection: str, key: Key) -> Record | None:
        with self._lock:
            return copy.deepcopy(self._tables[collection].get(key))

    def create(self, collection: str, fields: Record) -> Record:
        """Keeps `fields` under a new id; an id that the client gave is not taken."""
        with self._lock:
            self._last_id[collection] += 1
            return self._put(collection, self._last_id[collection], fields)

    def replace(self, collection: str, key: Key, fields: Record) -> Record | None:
        with self._lock:
            return self._put(collection, key, fields) if key in self._tables[collection] else None

    def merge(self, collection: str, key: Key, fields: Record) -> Record | None:
        with self._lock:
            old = self._tables[collection].get(key)
            return None if old is None else self._put(collection, key, {**old, **fields})

    def delete(self, collection: str, key: Key) -> bool:
        """Whether there was such a record."""
        with self._lock:
            if self._tables[collection].pop(key, None) is None:
                return False
            if self.cascade:
                for child in list(self._tables):
                    for record in self.records(child).values():
                        if record.get(link(collection)) == key:
                            self.delete(child, record["id"])
            return True

    def lose(self, collection: str, key: Key) -> set[str]:
        """Delete it; the paths of all that went: `{"/posts/1", "/comments/2"}`."""
        with self._lock:
            before = self._paths()
            self.delete(collection, key)
            return before - self._paths()

    def _paths(self) -> set[str]:
        return {f"/{collection}/{key}" for collection, records in self._tables.items() for key in records}

    def load(self, collection: str, records: list[Record]) -> list[Key]:
        """Put `records` there without a request; those with an id keep it. Returns the ids."""
        collection = collection.strip("/")
        with self._lock:
            ids: list[Key] = []
            for record in records:
                key = record.get("id", self._last_id[collection] + 1)
                if isinstance(key, int):
                    self._last_id[collection] = max(self._last_id[collection], key)
                ids.append(self._put(collection, key, record)["id"])
            return ids

    def _put(self, collection: str, key: Key, fields: Record) -> Record:
        record = {"id": key, **copy.deepcopy(fields)} | {"id": key}
        self._tables[collection][key] = record
        return copy.deepcopy(record)
