"""The bindings, and the engine's steps on them, one transaction each.

The decisions are the product's own, `syncer.core`. The queries are written again here; each names its original.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from syncer.core.decide import Changes, ClaimedBinding, Payload, Wanted, claimed
from syncer.core.state import NOT_BLOCKED, Facts, facts_of, holds, is_claimable
from tests.simulator.local import COMMENTS, MODELS, POSTS, Local, model_of, reached
from tests.simulator.remote import REQUEST_SECONDS, Remote, as_id

START = datetime(2026, 1, 1, tzinfo=UTC)
LEASE_SECONDS = 3 * REQUEST_SECONDS  # `Sender.lease_seconds`
LOOKUP = {POSTS: ("title",), COMMENTS: ("post", "name")}


@dataclass(slots=True)
class Row:
    """The columns of `Binding` that the engine reads or writes."""

    pk: int
    wanted: int = 0
    delivered: int = 0
    unconfirmed: bool = False
    in_doubt: bool = False
    rejected: int | None = None
    on_hold: bool = False
    token: int = 0
    lease_until: datetime | None = None
    not_before: datetime | None = None
    tries: int = 0
    remote_id: str | None = None
    last_remote_id: str | None = None
    agreed: Payload | None = None
    create_key: Any = None
    create_body: Payload | None = None
    create_at: datetime | None = None
    create_path: str = ""
    create_account: str = ""
    create_as: dict[str, Any] | None = None
    made: bool = False
    etag: str = ""
    refused_at: datetime | None = None
    deleting: bool = False
    look_first: bool = False
    reason: str = ""
    gone: bool = False
    candidates: list[str] | None = None
    parent_id: int | None = None
    peer_seen: Mapping[str, int] | None = None
    delete_allowed: bool = False


@dataclass
class Rows:
    """The engine's database."""

    local: Local
    remote: Remote
    can_look_up: bool  # the routes have a lookup
    recreate: bool  # a record that is gone is created again, rather than rejected
    patch: bool  # updates are sent as PATCH
    key_hours: int = 0  # `Route.key_hours`; 0 where the target does not support keys
    has_filter: bool = False  # the route of posts has a filter, for those that are shown
    now: datetime = START
    rows: dict[str, Row] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MODELS, 0))
    unanswered: set[str] = field(default_factory=set)  # the keys of objects with a create whose outcome is not known
    blocked: bool = False  # this and the next are columns of the target
    not_before: datetime | None = None

    @property
    def may_send(self) -> bool:
        """`breaker.pace`, for a target whose circuit is closed."""
        return not self.blocked and (self.not_before is None or self.not_before <= self.now)

    def wait(self, seconds: float, *, at_last: bool = False) -> None:
        """Let time pass; overdue requests arrive at the last moment, or never."""
        self.now += timedelta(seconds=seconds)
        self.remote.bury(self.now, at_last=at_last)

    def plan(self, model: str) -> None:
        """Plan the changes since the mark (`plan.plan`)."""
        named = {key for key in self.local.history[self.marks[model] :] if model_of(key) == model}
        self.raise_keys(named)
        if model == POSTS and self.has_filter:
            self.raise_keys({child for key in named for child in self.local.under(key)})
        self.marks[model] = len(self.local.history)

    def raise_keys(self, keys: Iterable[str]) -> None:
        """Increase `wanted` (`plan._raise`)."""
        for key in sorted(keys):  # the order of a set differs between processes
            self.rows.setdefault(key, Row(pk=len(self.rows) + 1)).wanted += 1

    def clear_backoff(self) -> None:
        """Let failed objects be tried at once (`breaker.clear_backoff`)."""
        for row in self.rows.values():
            row.not_before = row.not_before if row.unconfirmed else None

    def facts(self, key: str) -> Facts:
        return facts_of(self.rows[key], self.now)

    def is_blocked(self, key: str) -> bool:
        """Return whether only a person, or an edit, can make the object go on."""
        return not holds(self.facts(key), NOT_BLOCKED)

    def claim(self, model: str, limit: int) -> list[ClaimedBinding]:
        """Claim bindings as the statement of `claim.claim` does with those that `claim.claimable` selects."""
        keys = [key for key in sorted(self.rows) if model_of(key) == model and is_claimable(self.rows[key], self.now)]
        bindings = []
        for key in [key for key in keys if not self.waits(key)][:limit]:
            row = self.rows[key]
            if row.lease_until is not None:
                reached["a claim is taken over"] += 1
            ends = (self.now - START).total_seconds() + LEASE_SECONDS
            deletes = row.remote_id is not None and not self.local.is_wanted(key)
            terms: Any = {"ends": ends, "now": self.now, "key_hours": self.key_hours, "account": ""}
            bindings.append(claimed(row, key, deletes=deletes, **terms))
            row.token, row.unconfirmed = row.token + 1, True
            row.lease_until = self.now + timedelta(seconds=LEASE_SECONDS)
        return bindings

    def waits(self, key: str) -> bool:
        """Return whether a parent must be created first, or a child deleted first (`RouteMap.waits`)."""
        if model_of(key) == COMMENTS:
            return self.local.is_wanted(key) and self.parent_id(key) is None
        row = self.rows[key]
        return row.remote_id is not None and not self.local.is_wanted(key) and bool(self.hanging(key))

    def hanging(self, key: str) -> list[str]:
        """Return the children that have a record, or may have one (`routemap._has_children`)."""
        return [
            child
            for child, row in self.rows.items()
            if row.parent_id == self.rows[key].pk and (row.remote_id is not None or row.create_key is not None)
        ]

    def parent_id(self, key: str) -> int | None:
        """Return the id of a comment's post at the target; None while it is not certain (`RouteMap.parents`)."""
        parent = self.rows.get(str(self.local.live[key]["post"]))
        known = parent.remote_id if parent and not parent.unconfirmed else None
        return None if known is None else as_id(known)

    def wanted(self, key: str) -> Wanted | None:
        """Return the object as it is to be at the target (`payload.load`)."""
        if not self.local.is_wanted(key):
            return None
        values = self.local.live[key]
        if model_of(key) == POSTS:
            return Wanted(payload={"title": values["title"]})
        number, post = self.parent_id(key), self.rows.get(str(values["post"]))
        payload = {"post": number, "name": values["name"]}
        return Wanted(payload=payload, parent=post.pk if post else None, waits=number is None)

    def write(self, binding: ClaimedBinding, changes: Changes) -> bool:
        """Write columns if the worker still holds the claim, and return whether it does (`settling.write`)."""
        row = self.rows[binding.key]
        if row.token != binding.token:
            reached["a late worker settles nothing"] += 1
            return False
        for column, value in changes.items():
            setattr(row, column, value)
        return True

    def is_taken(self, key: str, remote_id: str | None) -> bool:
        """Return whether the unique constraint `syncer_binding_remote` forbids this id."""
        return remote_id is not None and any(
            other != key and model_of(other) == model_of(key) and row.remote_id == remote_id
            for other, row in self.rows.items()
        )

    def bound(self, model: str) -> set[str]:
        """Return all remote ids of the model's bindings."""
        return {row.remote_id for key, row in self.rows.items() if model_of(key) == model and row.remote_id}
