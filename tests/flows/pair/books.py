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
    """One that is known to be done."""

    kind: Kind
    key: str  # the order's, as text with dashes
    values: Values
    door: str  # how it was written: orm or api


Books = Mapping[str, list[Write]]  # by node


def lost(books: Books, orders: Mapping[str, Values], rules: Mapping[str, str]) -> Iterator[str]:
    """What the books say and the `orders`, by key, that both nodes have in the end don't, as sentences.

    1. What nobody deleted is there; what the authority deleted is not.
    2. Of an order that is there, each field is as one of the two left it; where only one edited it, as that one did.
       That holds for an order that comes back too, when its delete is overruled.

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
            if orders[key][field] not in values:
                yield f"{key}.{field} is {orders[key][field]!r}; last written: {by_node}"


def _last(books: Books) -> dict[str, dict[str, Values]]:
    """What each node wrote last, `{key: {field: {node: value}}}`."""
    last: dict[str, dict[str, Values]] = defaultdict(lambda: defaultdict(dict))
    for name in NAMES:
        for one in books[name]:
            for field, value in one.values.items():
                last[one.key][field][name] = value
    return last
