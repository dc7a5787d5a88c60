"""A worker, step by step: `dispatch` and `deliver`, divided wherever the worker may die or be overtaken."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from syncer.core.decide import Action, Changes, ClaimedBinding, Delivery, committed_first, delivery_of, update_body
from syncer.core.outcome import Exchange, Outcome, Verdict, candidates, classify
from syncer.core.settle import End, Terms, changes_after, taken_id
from tests.simulator.local import POSTS, model_of, reached
from tests.simulator.remote import REQUEST_SECONDS, Fate, Request, as_id
from tests.simulator.rows import LOOKUP, START, Rows

WRITES = (Action.CREATE, Action.REPLAY, Action.UPDATE, Action.DELETE)


@dataclass(eq=False)
class Sending:
    """A delivery and its result: `request` once it has left, `exchange` once an answer was seen."""

    delivery: Delivery
    request: Request | None = None
    looked: tuple[Exchange, list[Any]] | None = None
    is_over: bool = False  # nothing (more) is to be sent

    @property
    def exchange(self) -> Exchange | None:
        """The exchange that the sender saw; None while there is none, or where nothing was sent."""
        if self.looked is not None:
            return self.looked[0]
        return self.request.exchange if self.request else None


@dataclass(eq=False)
class Worker:
    """One process: its memory is lost when it dies, and what it has written stays."""

    rows: Rows
    bindings: list[ClaimedBinding] = field(default_factory=list)
    deliveries: list[Sending] = field(default_factory=list)
    is_committed: bool = False
    is_stopped: bool = False

    @property
    def is_idle(self) -> bool:
        return not self.bindings

    @property
    def unsent(self) -> list[Sending]:
        """The deliveries that are to be sent next."""
        return [sending for sending in self.deliveries if self.is_committed and not sending.is_over]

    @property
    def is_waiting(self) -> bool:
        """Whether only answers are waited for."""
        return bool(self.deliveries) and all(
            sending.is_over and sending.request and sending.exchange is None for sending in self.deliveries
        )

    def die(self) -> None:
        """Die at any moment; requests that were sent are still in flight."""
        self.bindings, self.deliveries, self.is_committed, self.is_stopped = [], [], False, False

    def step(self, model: str, limit: int, fate: Fate, jitter: float) -> None:
        """Take the next step."""
        if self.is_idle:
            self.claim(model, limit)
        elif not self.deliveries:
            self.look()
        elif not self.is_committed:
            self.commit_first()
        elif self.unsent:
            self.send(self.unsent[0], fate)
        else:
            self.settle(jitter)

    def claim(self, model: str, limit: int) -> None:
        """Claim bindings (`claim.claim`), unless nothing may be sent to the target."""
        if self.rows.may_send:
            self.bindings = self.rows.claim(model, limit)

    def look(self) -> None:
        """Read the live objects and decide, after the claim was committed (`deliver._decide`)."""
        self.deliveries = [self._decide(binding) for binding in self.bindings]
        for sending in self.deliveries:
            reached[f"action: {sending.delivery.action}"] += 1

    def _decide(self, binding: ClaimedBinding) -> Sending:
        rows, model = self.rows, model_of(binding.key)
        wanted = rows.wanted(binding.key)
        if wanted is None and binding.known.remote_id is not None and rows.hanging(binding.key):
            return Sending(Delivery(binding=binding, action=Action.WAIT))  # it was to be there when it was claimed
        lookup = LOOKUP[model] if rows.can_look_up else ()
        return Sending(delivery_of(binding, wanted, lookup=lookup, path=model))

    def commit_first(self) -> None:
        """Write the columns that a crash would lose, before anything is sent (`deliver._commit_first`)."""
        for sending in [*self.deliveries]:
            delivery = sending.delivery
            first = committed_first(delivery, self.rows.now)
            if first and not self.rows.write(delivery.binding, first):
                self.bindings = [binding for binding in self.bindings if binding is not delivery.binding]
                self.deliveries.remove(sending)
            elif delivery.action is Action.CREATE:
                self.rows.unanswered.add(delivery.binding.key)
        self.is_committed = bool(self.deliveries)  # all taken over: it is idle, and commits again what it claims next

    def send(self, sending: Sending, fate: Fate) -> None:
        """Send one delivery, while its lease is long enough (`deliver._send` and `Sender._must_not_send`)."""
        sending.is_over = True
        delivery = sending.delivery
        if delivery.action in (Action.NOTHING, Action.WAIT, Action.DOUBT):
            return
        rows, binding = self.rows, delivery.binding
        if self.is_stopped or binding.ends - (rows.now - START).total_seconds() <= REQUEST_SECONDS:
            reached["too late to be sent"] += 1
            return
        reached[f"fate: {fate.name}"] += 1
        model = model_of(binding.key)
        if delivery.action is Action.LOOKUP:
            assert delivery.like is not None
            sending.looked = rows.remote.look_up(binding.key, model, delivery.like, LOOKUP[model], fate)
            return
        body = delivery.sent or {}
        if delivery.action is Action.UPDATE:
            body = update_body(binding.known, body, patch=rows.patch)
        sending.request = Request(
            owner=binding.key,
            model=model,
            action=delivery.action,
            dies=rows.now + timedelta(seconds=REQUEST_SECONDS),
            remote_id=as_id(binding.known.remote_id) if binding.known.remote_id else None,
            body=body,
            patch=rows.patch and delivery.action is Action.UPDATE,
            key=delivery.key,
        )
        rows.remote.send(sending.request, fate, rows.now)

    def settle(self, jitter: float) -> None:
        """Settle the deliveries that are over (`Settler.settle`); the others wait for their answers."""
        for sending in [each for each in self.deliveries if each.exchange is not None or each.request is None]:
            self.deliveries.remove(sending)
            self.bindings.remove(sending.delivery.binding)
            self._settle(sending, jitter)
        if not self.bindings:
            self.die()

    def _settle(self, sending: Sending, jitter: float) -> None:
        rows, delivery, exchange = self.rows, sending.delivery, sending.exchange
        binding = delivery.binding
        verdict = classify(delivery.action, exchange, now=rows.now) if exchange else None
        terms = Terms(recreate=rows.recreate, request_seconds=REQUEST_SECONDS)
        matches = self._candidates(sending, verdict)
        end = End(action=delivery.action, known=binding.known, sent=delivery.sent, verdict=verdict, matches=matches)
        written = changes_after(binding.claim, end, terms, now=rows.now, jitter=jitter)
        if delivery.action in (Action.CREATE, Action.UPDATE) and written.get("agreed") is not None:
            written["parent_id"] = delivery.parent
        is_answered = _is_answered(delivery, verdict, matches)
        if rows.is_taken(binding.key, written.get("remote_id")):
            is_answered = False
            reached["an id that another has"] += 1
            rows.remote.blamed.add(binding.key)
            written = taken_id(binding.claim, delivery.action, written["remote_id"])
        if rows.write(binding, written | {"lease_until": None}):
            self._count(delivery, verdict, written)
            if is_answered:
                rows.unanswered.discard(binding.key)
            new = written.get("remote_id")
            if new is not None:
                rows.remote.belongs_to(model_of(binding.key), as_id(new), binding.key)
            if new is not None and binding.last_remote_id not in (None, new) and model_of(binding.key) == POSTS:
                reached["children get a new id"] += 1
                rows.raise_keys(rows.local.under(binding.key))
        self._observe(verdict)

    def _candidates(self, sending: Sending, verdict: Verdict | None) -> list[str]:
        """Return the possible matches of a lookup (`RestSettler._candidates`)."""
        delivery = sending.delivery
        if sending.looked is None or verdict is None or verdict.outcome is not Outcome.DONE:
            return []
        bound = self.rows.bound(model_of(delivery.binding.key))
        matches = candidates(sending.looked[1], delivery.like or {}, id_field="id", bound=bound)
        reached[f"a lookup finds {min(len(matches), 2)}"] += 1
        return matches

    def _observe(self, verdict: Verdict | None) -> None:
        """Take in what a verdict says of the target (`Sender._observe` and `Settler.settle`)."""
        if verdict is None:
            return
        if verdict.target_waits is not None:
            self.is_stopped = True
            self.rows.not_before = self.rows.now + timedelta(seconds=verdict.target_waits)
        if verdict.outcome is Outcome.CONFIGURATION:
            self.is_stopped, self.rows.blocked = True, True

    def _count(self, delivery: Delivery, verdict: Verdict | None, written: Changes) -> None:
        """Count the situation, and note the object whose record is gone where the route rejects it."""
        if verdict is not None:
            reached[f"{delivery.action}: {verdict.outcome}"] += 1
        if written.get("in_doubt"):
            reached["in doubt"] += 1
        if verdict is not None and verdict.outcome is Outcome.GONE and written.get("rejected"):
            reached["rejected because it is gone"] += 1
            key, number = delivery.binding.key, as_id(str(delivery.binding.known.remote_id))
            if (model_of(key), number) in self.rows.remote.vanished:
                self.rows.remote.blamed.add(key)
        if written.get("rejected"):
            reached["rejected"] += 1


def _is_answered(delivery: Delivery, verdict: Verdict | None, matches: list[str]) -> bool:
    """Return whether the outcome of the object's create is known now."""
    outcome = verdict.outcome if verdict else None
    if delivery.action is Action.CREATE:
        return outcome is not Outcome.UNKNOWN
    return delivery.action in (Action.REPLAY, Action.LOOKUP) and outcome is Outcome.DONE and len(matches) < 2
