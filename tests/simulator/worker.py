"""A worker, step by step: `runs._pass` and `deliver.deliver`, taken apart wherever it may die or be overtaken."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from syncer.core.decide import Action, Payload, changes, decide
from syncer.core.lookup import candidates
from syncer.core.outcome import Exchange, Outcome, Verdict, classify
from syncer.core.settle import Changes, End, Terms, changes_after, taken_id
from tests.simulator.local import POSTS, model_of, reached
from tests.simulator.remote import REQUEST_SECONDS, Fate, Request, as_id
from tests.simulator.rows import LOOKUP, Lane, Rows

COMMITTED_FIRST = (Action.CREATE, Action.DELETE)
WRITES = (Action.CREATE, Action.REPLAY, Action.UPDATE, Action.DELETE)
keys = count(1)


@dataclass(eq=False)
class Parcel:
    """`parcel.Parcel`, and what came of it: `request` once it has left, `exchange` once something was seen of it."""

    lane: Lane
    action: Action
    sent: Payload | None = None
    like: Payload | None = None
    parent: str | None = None
    key: Any = None
    request: Request | None = None
    looked: tuple[Exchange, list[Any]] | None = None
    is_over: bool = False  # nothing (more) is to be sent

    @property
    def exchange(self) -> Exchange | None:
        """What the sender saw; None: nothing yet, or nothing was sent."""
        if self.looked is not None:
            return self.looked[0]
        return self.request.exchange if self.request else None


@dataclass(eq=False)
class Worker:
    """One process. What it holds in memory is gone when it dies; what it has written stays."""

    rows: Rows
    lanes: list[Lane] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    is_committed: bool = False
    is_stopped: bool = False

    @property
    def is_idle(self) -> bool:
        return not self.lanes

    @property
    def unsent(self) -> list[Parcel]:
        """What is to leave next."""
        return [parcel for parcel in self.parcels if self.is_committed and not parcel.is_over]

    @property
    def is_waiting(self) -> bool:
        """For answers, and for nothing else."""
        return bool(self.parcels) and all(one.is_over and one.request and one.exchange is None for one in self.parcels)

    def die(self) -> None:
        """At any moment; what it has sent is still on its way."""
        self.lanes, self.parcels, self.is_committed, self.is_stopped = [], [], False, False

    def step(self, model: str, limit: int, fate: Fate, jitter: float) -> None:
        """The next thing that it does."""
        if self.is_idle:
            self.claim(model, limit)
        elif not self.parcels:
            self.look()
        elif not self.is_committed:
            self.commit_first()
        elif self.unsent:
            self.send(self.unsent[0], fate)
        else:
            self.settle(jitter)

    def claim(self, model: str, limit: int) -> None:
        """`claim.claim`, where the target may be spoken to at all."""
        if self.rows.may_send:
            self.lanes = self.rows.claim(model, limit)

    def look(self) -> None:
        """`deliver._decide`: after the claim was committed."""
        self.parcels = [self._decide(lane) for lane in self.lanes]
        for parcel in self.parcels:
            reached[f"action: {parcel.action}"] += 1

    def _decide(self, lane: Lane) -> Parcel:
        rows = self.rows
        payload = rows.payload(lane.key)
        if payload is not None and payload.get("post", 0) is None:
            return Parcel(lane=lane, action=Action.WAIT)
        if payload is None and lane.known.remote_id is not None and rows.hanging(lane.key):
            return Parcel(lane=lane, action=Action.WAIT)  # it was to be there when it was claimed
        action = decide(lane.known, payload, can_look_up=rows.can_look_up, can_replay=lane.can_replay)
        if action is Action.REPLAY:
            return Parcel(lane=lane, action=action, sent=lane.known.create_body, key=lane.create_key)
        parent = None if payload is None or model_of(lane.key) == POSTS else str(rows.local.live[lane.key]["post"])
        return Parcel(
            lane=lane,
            action=action,
            sent=payload,
            like=self._like(lane, payload) if action is Action.LOOKUP else None,
            parent=parent,
            key=next(keys) if action is Action.CREATE else None,
        )

    def _like(self, lane: Lane, payload: Payload | None) -> Payload | None:
        """`deliver._like`."""
        if lane.known.create_body is not None or payload is None:
            return lane.known.create_body
        return {name: payload[name] for name in LOOKUP[model_of(lane.key)] if name in payload}

    def commit_first(self) -> None:
        """`deliver._commit_first`: what can't be told from the row later is written before anything leaves."""
        for parcel in self.parcels:
            first: Changes = {"deleting": True}
            if parcel.action is Action.CREATE:
                first = {"create_key": parcel.key, "create_body": parcel.sent, "create_at": self.rows.now}
                first |= {"parent_id": parcel.parent, "parked": None}
            if parcel.action in COMMITTED_FIRST and not self.rows.write(parcel.lane, first):
                self.lanes = [lane for lane in self.lanes if lane is not parcel.lane]
            elif parcel.action is Action.CREATE:
                self.rows.unanswered.add(parcel.lane.key)
        self.parcels = [parcel for parcel in self.parcels if parcel.lane in self.lanes]
        self.is_committed = bool(self.parcels)  # all taken over: it is idle, and commits again what it claims next

    def send(self, parcel: Parcel, fate: Fate) -> None:
        """`deliver._send` and `Sender._must_not_send`."""
        parcel.is_over = True
        if parcel.action in (Action.NOTHING, Action.WAIT, Action.DOUBT):
            return
        rows, lane = self.rows, parcel.lane
        if self.is_stopped or lane.ends - rows.now <= timedelta(seconds=REQUEST_SECONDS):
            reached["too late to be sent"] += 1
            return
        reached[f"fate: {fate.name}"] += 1
        model = model_of(lane.key)
        if parcel.action is Action.LOOKUP:
            assert parcel.like is not None
            parcel.looked = rows.remote.look_up(lane.key, model, parcel.like, LOOKUP[model], fate)
            return
        parcel.request = Request(
            owner=lane.key,
            model=model,
            action=parcel.action,
            dies=rows.now + timedelta(seconds=REQUEST_SECONDS),
            remote_id=as_id(lane.known.remote_id) if lane.known.remote_id else None,
            body=self._body(parcel),
            patch=rows.patch and parcel.action is Action.UPDATE,
            key=parcel.key,
        )
        rows.remote.send(parcel.request, fate, rows.now)

    def _body(self, parcel: Parcel) -> Payload:
        known = parcel.lane.known
        if self.rows.patch and parcel.action is Action.UPDATE and parcel.sent is not None:
            return changes(None if known.unsettled else known.agreed, parcel.sent)
        return parcel.sent or {}

    def settle(self, jitter: float) -> None:
        """`Settler.settle`, of what has been answered; the rest is waited for."""
        for parcel in [one for one in self.parcels if one.exchange is not None or one.request is None]:
            self.parcels.remove(parcel)
            self.lanes.remove(parcel.lane)
            self._settle(parcel, jitter)
        if not self.lanes:
            self.die()

    def _settle(self, parcel: Parcel, jitter: float) -> None:
        rows, lane = self.rows, parcel.lane
        exchange = parcel.exchange
        verdict = classify(parcel.action, exchange, now=rows.now) if exchange else None
        terms = Terms(recreate=rows.recreate, request_seconds=REQUEST_SECONDS)
        found = self._candidates(parcel, verdict)
        end = End(action=parcel.action, known=lane.known, sent=parcel.sent, verdict=verdict, found=found)
        written = changes_after(lane.claim, end, terms, now=rows.now, jitter=jitter)
        if parcel.action in (Action.CREATE, Action.UPDATE) and written.get("agreed") is not None:
            written["parent_id"] = parcel.parent
        is_answered = _is_answered(parcel, verdict, found)
        if rows.is_taken(lane.key, written.get("remote_id")):
            is_answered = False
            reached["an id that another has"] += 1
            rows.remote.blamed.add(lane.key)
            written = taken_id(lane.claim, parcel.action, written["remote_id"])
        if rows.write(lane, written | {"lease_until": None}):
            self._notice(parcel, verdict, written)
            if is_answered:
                rows.unanswered.discard(lane.key)
            new = written.get("remote_id")
            if new is not None:
                rows.remote.belongs_to(model_of(lane.key), as_id(new), lane.key)
            if new is not None and lane.last_remote_id not in (None, new) and model_of(lane.key) == POSTS:
                reached["children are told a new id"] += 1
                rows.raise_keys(rows.local.under(lane.key))
        self._heed(verdict)

    def _candidates(self, parcel: Parcel, verdict: Verdict | None) -> list[str]:
        """`Settler._candidates`."""
        if parcel.looked is None or verdict is None or verdict.outcome is not Outcome.DONE:
            return []
        bound = self.rows.bound(model_of(parcel.lane.key))
        found = candidates(parcel.looked[1], parcel.like or {}, id_field="id", bound=bound)
        reached[f"a lookup finds {min(len(found), 2)}"] += 1
        return found

    def _heed(self, verdict: Verdict | None) -> None:
        """`Settler._heed`."""
        if verdict is None:
            return
        if verdict.target_waits is not None:
            self.is_stopped = True
            self.rows.not_before = self.rows.now + timedelta(seconds=verdict.target_waits)
        if verdict.outcome is Outcome.CONFIGURATION:
            self.is_stopped, self.rows.paused = True, True

    def _notice(self, parcel: Parcel, verdict: Verdict | None, written: Changes) -> None:
        """Count what came about, and blame the record that is gone where the route parks it."""
        if verdict is not None:
            reached[f"{parcel.action}: {verdict.outcome}"] += 1
        if written.get("in_doubt"):
            reached["in doubt"] += 1
        if verdict is not None and verdict.outcome is Outcome.GONE and written.get("parked"):
            reached["parked because it is gone"] += 1
            if (model_of(parcel.lane.key), as_id(str(parcel.lane.known.remote_id))) in self.rows.remote.vanished:
                self.rows.remote.blamed.add(parcel.lane.key)
        if written.get("parked"):
            reached["parked"] += 1


def _is_answered(parcel: Parcel, verdict: Verdict | None, found: list[str]) -> bool:
    """Whether it is known now what became of the object's create."""
    outcome = verdict.outcome if verdict else None
    if parcel.action is Action.CREATE:
        return outcome is not Outcome.UNKNOWN
    return parcel.action in (Action.REPLAY, Action.LOOKUP) and outcome is Outcome.DONE and len(found) < 2
