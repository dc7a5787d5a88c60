"""One server of `test_dialects.py`: how it speaks, and the columns of the route that speak it."""

from dataclasses import dataclass, field
from typing import Any

from tests.remote import Dialect

# A create was not answered. A server that loses what would tell the records apart needs a person in these.
OPEN = frozenset({"create lost after", "edited while open", "deleted while open", "renamed while open"})


@dataclass(frozen=True, kw_only=True)
class Server:
    """One service, and a route to it.

    Attributes:
        columns: of the route, beside those of a plain one.
        blocked: a part of the reason for which the target is blocked first; empty: it never is.
        cure: the columns that a person then sets.
        asks: the situations in which a person has to decide, beside those in which it is so at every server.
    """

    name: str
    dialect: Dialect
    columns: dict[str, Any] = field(default_factory=dict)
    blocked: str = ""
    cure: dict[str, Any] = field(default_factory=dict)
    asks: frozenset[str] = frozenset()
