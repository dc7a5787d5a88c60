"""The bindings, and the engine's steps on them, one transaction each.

The decisions are the product's own, `syncer.core`. The queries are written again here; each names its original.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from syncer.core.decide import Changes, ClaimedBinding, Payload, Terms, Wanted, claimed
from syncer.core.ids import decode_id, id_text
from syncer.core.state import NOT_BLOCKED, Facts, facts_of, holds, is_claimable
from tests.simulator.dialect import HEADING
from tests.simulator.local import COMMENTS, MODELS, POSTS, Local, model_of, reached
from tests.simulator.remote import REQUEST_SECONDS, Remote

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = 0.000001  # seconds between two steps
LEASE_SECONDS = 3 * REQUEST_SECONDS  # `Sender.lease_seconds`
LOOKUP = {POSTS: ("title",), COMMENTS: ("post", "name")}  # local names
FIELDS = {POSTS: ("title", "pages"), COMMENTS: ("post", "name")}
STEPS = (  # `Rest.steps`
    *((model, "delete") for model in reversed(MODELS)),
    *((model, how) for model in MODELS for how in ("update", "create")),
)


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
    settled_at: datetime | None = None
    delete_allowed: bool = False
    deleting: bool = False
    look_first: bool = False
    reason: str = ""
    gone: bool = False
    candidates: list[Any] | None = None
    parent_id: int | None = None
    peer_seen: Mapping[str, int] | None = None


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
    overwrite: bool = False  # a record that is there already is taken over, even if it differs
    patience: float | None = 30.0  # seconds after which a record is listed that was only accepted; None: never
    renamed: bool = False  # the route of posts sends a `heading` instead of a `title`
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

    def hold(self, key: str) -> None:
        """Hold an object back, which may be one that was never planned (`holding.hold`)."""
        reached["held" if key in self.rows else "held before its first plan"] += 1
        self.rows.setdefault(key, Row(pk=len(self.rows) + 1)).on_hold = True

    def clear_backoff(self) -> None:
        """Let failed objects be tried at once (`breaker.clear_backoff`)."""
        for row in self.rows.values():
            row.not_before = row.not_before if row.unconfirmed else None

    def facts(self, key: str) -> Facts:
        return facts_of(self.rows[key], self.now)

    def is_blocked(self, key: str) -> bool:
        """Return whether only a person, or an edit, can make the object go on."""
        return not holds(self.facts(key), NOT_BLOCKED)

    def terms(self, model: str) -> Terms:
        """Return how records of a model are found again (`endpoint.terms_of`)."""
        remote_names = {name: self._remote_name(name) for name in FIELDS[model]}
        lookup = tuple(remote_names[name] for name in LOOKUP[model]) if self.can_look_up else ()
        return Terms(path=model, lookup=lookup, fields={remote: local for local, remote in remote_names.items()})

    def _remote_name(self, name: str) -> str:
        return next((other for other, title in HEADING.items() if title == name and self.renamed), name)

    def rename(self) -> None:
        """Rename a field, here and at the target, while requests may be unanswered; everything is planned."""
        self.renamed = self.remote.renamed = not self.renamed
        self.raise_keys(key for key in {*self.rows, *self.local.live} if model_of(key) == POSTS)

    def claim(self, model: str, limit: int, how: str) -> list[ClaimedBinding]:
        """Claim bindings of one step, as `claims.claim` does with those that `RouteMap.claimable` selects.

        Args:
            how: `delete`, `update` or `create`.
        """
        keys = [key for key in sorted(self.rows) if model_of(key) == model and self._step_of(key) == how]
        bindings = []
        for key in [key for key in keys if is_claimable(self.rows[key], self.now) and not self.waits(key)][:limit]:
            row = self.rows[key]
            if row.lease_until is not None:
                reached["a claim is taken over"] += 1
            ends = (self.now - START).total_seconds() + LEASE_SECONDS
            account, hours, to_delete = "", self.key_hours, how == "delete"
            bindings.append(
                claimed(row, key, ends=ends, now=self.now, key_hours=hours, account=account, deletes=to_delete)
            )
            row.token, row.unconfirmed = row.token + 1, True
            row.lease_until = self.now + timedelta(seconds=LEASE_SECONDS)
        return bindings

    def _step_of(self, key: str) -> str:
        if self.rows[key].remote_id is None:
            return "create"
        return "update" if self.local.is_wanted(key) else "delete"

    def try_refused(self) -> bool:
        """Let refused objects be tried again if anything was delivered since (`dispatch._try_refused`)."""
        left = {key: row for key, row in self.rows.items() if self.facts(key).due and not row.on_hold}
        refused = {key: row for key, row in left.items() if row.refused_at is not None}
        delivered = [row.settled_at for row in self.rows.values() if row.settled_at and row.rejected is None]
        latest = max(delivered, default=START)
        again = [row for row in refused.values() if row.refused_at is not None and row.refused_at < latest]
        for row in again:
            row.rejected = row.refused_at = None
        is_over = not any(self._is_under_way(key) for key in left)
        for key, row in refused.items() if not again and is_over else ():
            row.refused_at = None
            self.check_what_is_in_the_way(key)
            self.remote.in_the_way.pop(key, None)  # whatever goes out of the way from now on, the object stays rejected
        return bool(again)

    def _is_under_way(self, key: str) -> bool:
        not_before = self.rows[key].not_before
        is_later = self.facts(key).claimed or (not_before is not None and not_before > self.now)
        return is_later and not self.is_blocked(key)

    def check_what_is_in_the_way(self, key: str) -> None:
        """Check that a rejected object which was refused because of another record would be refused again."""
        request = self.remote.in_the_way.get(key)
        is_certain = not any(row.unconfirmed for row in self.rows.values())
        if request is not None and is_certain:
            assert self.remote.refuses_for_another(request), f"{key} is rejected, and nothing is in its way any more"

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
            if row.parent_id == self.rows[key].pk and (row.remote_id is not None or row.create_body is not None)
        ]

    def parent_id(self, key: str) -> int | str | None:
        """Return the id of a comment's post as it is sent; None while it is not certain (`RouteMap.parents`)."""
        parent = self.rows.get(str(self.local.live[key]["post"]))
        known = parent.remote_id if parent and not parent.unconfirmed else None
        return None if known is None else decode_id(known)

    def wanted(self, key: str) -> Wanted | None:
        """Return the object as it is to be at the target (`payload.load`)."""
        if not self.local.is_wanted(key):
            return None
        values = self.local.live[key]
        if model_of(key) == POSTS:
            return Wanted(
                payload={self._remote_name("title"): values["title"], "pages": values["pages"]},
                create_path=model_of(key),
            )
        number, post = self.parent_id(key), self.rows.get(str(values["post"]))
        payload = {"post": number, "name": values["name"]}
        return Wanted(payload=payload, create_path=COMMENTS, parent=post.pk if post else None, waits=number is None)

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
            other != key
            and model_of(other) == model_of(key)
            and row.remote_id
            and id_text(row.remote_id) == id_text(remote_id)
            for other, row in self.rows.items()
        )

    def bound(self, model: str) -> set[str]:
        """Return the texts of all remote ids of the model's bindings."""
        return {id_text(row.remote_id) for key, row in self.rows.items() if model_of(key) == model and row.remote_id}
