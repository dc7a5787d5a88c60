"""What an editor did, for sure, and in its order; and what must have become of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.flows.pair.node import NAMES

Kind = Literal["create", "edit", "delete"]
Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Write:
    """One that is known to be done.

    Attributes:
        key: the order's, as text with dashes.
        door: how it was written: orm or api.
    """

    kind: Kind
    key: str
    values: Values
    door: str


Books = Mapping[str, list[Write]]  # by node
DELETED = object()  # in place of a value: its node deleted the order later, with or without having told of it before


def lost(books: Books, orders: Mapping[str, Values], rules: Mapping[str, str]) -> Iterator[str]:
    """What the books say and the `orders`, by key, that both nodes have in the end don't, as sentences.

    1. What nobody deleted is there; what the authority deleted is not.
    2. Of an order that is there, each field is as one of the two left it; where only one edited it, as that one did.
       But what a node edited before it deleted the order itself may come back, when the delete is overruled, or not:
       the two can have been one change.

    Args:
        rules: `{"exists": "store"}`.
    """
    deleted = {name: {one.key for one in books[name] if one.kind == "delete"} for name in NAMES}
    for key, fields in _last(books).items():
        if key not in orders:
            if not any(key in keys for keys in deleted.values()):
                yield f"{key} is gone, and nobody deleted it"
            continue
        if key in deleted[rules["exists"]]:
            yield f"{key} is there, and {rules['exists']}, which decides that, deleted it"
        for field, by_node in fields.items():
            values = by_node.values()
            if DELETED not in values and orders[key][field] not in values:
                yield f"{key}.{field} is {orders[key][field]!r}; last written: {by_node}"


def _last(books: Books) -> dict[str, dict[str, Values]]:
    """What each node wrote last, `{key: {field: {node: value}}}`."""
    last: dict[str, dict[str, Values]] = defaultdict(lambda: defaultdict(dict))
    for name in NAMES:
        for one in books[name]:
            fields = last[one.key]
            if one.kind == "delete":
                for by_node in fields.values():
                    if name in by_node:
                        by_node[name] = DELETED
            for field, value in one.values.items():
                fields[field][name] = value
    return last
