"""A worker, step by step: `dispatch` and `deliver`, divided wherever the worker may die or be overtaken."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from syncer.core import circuit
from syncer.core.answers import Answers, records_error
from syncer.core.decide import (
    Action,
    Changes,
    ClaimedBinding,
    Delivery,
    Terms,
    committed_first,
    delivery_of,
    update_body,
)
from syncer.core.ids import id_text
from syncer.core.likeness import Candidate, decisive, search
from syncer.core.outcome import REFUSED, Exchange, Outcome, Place, Verdict, classify, confirmed
from syncer.core.settle import NEVER_LISTED, End, Rules, changes_after, taken_id
from tests.simulator.dialect import HEADING
from tests.simulator.local import POSTS, model_of, reached
from tests.simulator.remote import REQUEST_SECONDS, Fate, Request, as_id
from tests.simulator.rows import MOMENT, START, STEPS, Rows

WRITES = (Action.CREATE, Action.REPLAY, Action.UPDATE, Action.DELETE)
DEFINITE = (Outcome.DONE, Outcome.MADE, Outcome.GONE, *REFUSED)  # `settling.DEFINITE`
ANSWERS = Answers(names=frozenset(("title", "heading", "pages", "post", "name")))
# What a delivery asks next: the change itself; for a refusal, the list and then the record; for a lookup, two lists.
CHANGE, EVIDENCE, RECORD, FILTERED, WHOLE = "change", "evidence", "record", "filtered list", "whole list"


@dataclass(eq=False)
class Sending:
    """A delivery and what its answers mean so far.

    Attributes:
        terms: the route's, when the object was read.
        asks: the request that is to be sent next; empty: none.
        request: the change, once it has left.
        first: the verdict on the first answer, while more is asked for.
        verdict: what all answers mean, once they came.
    """

    delivery: Delivery
    terms: Terms = field(default_factory=Terms)
    asks: str = ""
    request: Request | None = None
    first: Verdict | None = None
    listing: Verdict | None = None
    verdict: Verdict | None = None
    records: Sequence[Any] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether the answer to its change is still to come."""
        return self.request is not None and self.request.exchange is None

    @property
    def is_over(self) -> bool:
        return not self.asks and not self.is_waiting


@dataclass(eq=False)
class Worker:
    """One process: its memory is lost when it dies, and what it has written stays."""

    rows: Rows
    bindings: list[ClaimedBinding] = field(default_factory=list)
    deliveries: list[Sending] = field(default_factory=list)
    is_committed: bool = False
    is_stopped: bool = False  # this and the next two are the sender's
    forbidden: set[int] = field(default_factory=set)
    has_succeeded: bool = False

    @property
    def is_idle(self) -> bool:
        return not self.bindings

    @property
    def unsent(self) -> list[Sending]:
        """The deliveries of which a request is to be sent next."""
        for sending in self.deliveries:
            self._read(sending)
        return [sending for sending in self.deliveries if self.is_committed and sending.asks]

    @property
    def is_waiting(self) -> bool:
        """Whether only answers are waited for."""
        return bool(self.deliveries) and not self.unsent and all(sending.is_waiting for sending in self.deliveries)

    def die(self) -> None:
        """Die at any moment; requests that were sent are still in flight."""
        self.bindings, self.deliveries, self.is_committed = [], [], False
        self.begin()

    def begin(self) -> None:
        """Begin a run, with a sender of its own."""
        self.is_stopped, self.forbidden, self.has_succeeded = False, set(), False

    def step(self, model: str, limit: int, fate: Fate, jitter: float) -> None:
        """Take the next step."""
        self.rows.wait(MOMENT)  # nothing happens at the same time as something else
        if self.is_idle:
            for step_model, how in STEPS:
                if step_model == model and self.is_idle:
                    self.claim(model, limit, how)
        elif not self.deliveries:
            self.look()
        elif not self.is_committed:
            self.commit_first()
        elif self.unsent:
            self.send(self.unsent[0], fate)
        else:
            self.settle(jitter)

    def claim(self, model: str, limit: int, how: str) -> None:
        """Claim bindings of a step (`dispatch.claim`), unless nothing may be sent to the target."""
        if self.rows.may_send and not self.is_stopped:
            self.bindings = self.rows.claim(model, limit, how)

    def look(self) -> None:
        """Read the live objects and decide, after the claim was committed (`deliver.deliver`, steps 1 and 2)."""
        self.deliveries = [self._decide(binding) for binding in self.bindings]
        for sending in self.deliveries:
            reached[f"action: {sending.delivery.action}"] += 1

    def _decide(self, binding: ClaimedBinding) -> Sending:
        rows, model = self.rows, model_of(binding.key)
        wanted = rows.wanted(binding.key)
        if wanted is None and binding.known.remote_id is not None and rows.hanging(binding.key):
            return Sending(Delivery(binding=binding, action=Action.WAIT))  # it was to be there when it was claimed
        terms = rows.terms(model)
        delivery = delivery_of(binding, wanted, terms)
        asks = CHANGE if delivery.action in WRITES else FILTERED if delivery.action is Action.LOOKUP else ""
        return Sending(delivery, terms=terms, asks=asks)

    def commit_first(self) -> None:
        """Write the columns that a crash would lose, before anything is sent (`deliver._commit_first`)."""
        for sending in [*self.deliveries]:
            delivery = sending.delivery
            first = committed_first(delivery, sending.terms, self.rows.now)
            if first and not self.rows.write(delivery.binding, first):
                self.bindings = [binding for binding in self.bindings if binding is not delivery.binding]
                self.deliveries.remove(sending)
            elif delivery.action is Action.CREATE:
                self.rows.unanswered.add(delivery.binding.key)
        self.is_committed = bool(self.deliveries)  # all taken over: it is idle, and commits again what it claims next

    # --- the exchanges of a delivery ---------------------------------------------------------------------------------
    def send(self, sending: Sending, fate: Fate) -> None:
        """Send the next request of a delivery, while its lease is long enough (`exchanges.send_change`, `find`)."""
        rows, asks, delivery = self.rows, sending.asks, sending.delivery
        sending.asks = ""
        if self.is_stopped or delivery.binding.ends - (rows.now - START).total_seconds() <= REQUEST_SECONDS:
            reached["too late to be sent"] += 1
            if asks not in (CHANGE, FILTERED):  # `evidence.UNPROVEN`
                self._end(sending, Verdict(outcome=Outcome.RETRYABLE, why="was not asked for evidence"))
            return
        reached[f"fate: {fate.name}"] += 1
        key, model = delivery.binding.key, model_of(delivery.binding.key)
        if asks == CHANGE:
            sending.request = self._change(delivery)
            rows.remote.send(sending.request, fate, rows.now)
            self._read(sending)
        elif asks == RECORD:
            known_id = as_id(str(delivery.binding.known.remote_id))
            self._seen(sending, rows.remote.get(key, model, known_id, fate, rows.now))
        else:
            sought = delivery.sought
            query = {name: sought.body[name] for name in sought.lookup} if sought and asks == FILTERED else {}
            is_evidence = asks == EVIDENCE
            exchange = rows.remote.list_(key, model, query, fate, rows.now, is_evidence=is_evidence)
            self._listed(sending, asks, exchange)

    def _change(self, delivery: Delivery) -> Request:
        rows, binding = self.rows, delivery.binding
        body = delivery.sent or {}
        if delivery.action is Action.UPDATE:
            body = update_body(binding.known, body, patch=rows.patch)
        return Request(
            owner=binding.key,
            model=model_of(binding.key),
            action=delivery.action,
            dies=rows.now + timedelta(seconds=REQUEST_SECONDS),
            remote_id=as_id(binding.known.remote_id) if binding.known.remote_id else None,
            body=body,
            patch=rows.patch and delivery.action is Action.UPDATE,
            key=delivery.key,
        )

    def _read(self, sending: Sending) -> None:
        """Take in the answer to a change; ask for evidence where it proves nothing (`exchanges.send_change`)."""
        if sending.request is None or sending.request.exchange is None or sending.first or sending.verdict:
            return
        delivery, now = sending.delivery, self.rows.now
        place = Place(before=f"/{model_of(delivery.binding.key)}/")
        verdict = classify(delivery.action, sending.request.exchange, now=now, answers=ANSWERS, place=place)
        if verdict.is_unproven:
            sending.first, sending.asks = verdict, EVIDENCE
        elif verdict.outcome is Outcome.TAKEN and delivery.sought and sending.terms.can_look_up:
            sending.first, sending.asks = verdict, FILTERED
            self._observe(delivery.binding, verdict)
        else:
            self._end(sending, verdict)

    def _listed(self, sending: Sending, asks: str, exchange: Exchange) -> None:
        """Take in a list, as evidence or of a lookup (`evidence.evidence_of`, `_Lookups.next_step`, `joined`)."""
        verdict = classify(Action.LOOKUP, exchange, now=self.rows.now)
        records = json.loads(exchange.body) if verdict.outcome is Outcome.DONE else []
        if why := records_error(records, ANSWERS):
            verdict, records = Verdict(outcome=Outcome.CONFIGURATION, why=why), []
        if asks == EVIDENCE:
            self._proven(sending, verdict, records)
            return
        sending.records = records
        is_taken = sending.first is not None and sending.first.outcome is Outcome.TAKEN
        if asks == FILTERED and _refuses_filter(verdict, exchange):
            sending.asks = WHOLE
        elif verdict.outcome is not Outcome.DONE:
            self._end(sending, verdict)
        elif asks == FILTERED and not decisive(self._candidates(sending)):
            sending.asks = WHOLE
            reached["a filtered list is not enough"] += 1
        else:
            self._end(sending, sending.first if is_taken and sending.first else verdict)

    def _proven(self, sending: Sending, listing: Verdict, records: Sequence[Any]) -> None:
        """Decide by the list that was asked for as evidence; ask for the record too where it seems to be gone."""
        assert sending.first is not None
        known_id = sending.delivery.binding.known.remote_id
        is_listed = known_id is not None and any(
            id_text(str(ANSWERS.id_of(record))) == id_text(known_id) for record in records
        )
        if sending.first.outcome is Outcome.GONE and listing.outcome is Outcome.DONE and not is_listed:
            sending.listing, sending.asks = listing, RECORD
        else:
            verdict = confirmed(sending.first, listing, is_listed=is_listed, has_succeeded=self.has_succeeded)
            self._end(sending, verdict)

    def _seen(self, sending: Sending, record: Exchange) -> None:
        assert sending.first is not None
        assert sending.listing is not None
        verdict = confirmed(sending.first, sending.listing, record, has_succeeded=self.has_succeeded)
        self._end(sending, verdict)

    def _end(self, sending: Sending, verdict: Verdict) -> None:
        sending.verdict = self._observe(sending.delivery.binding, verdict)

    def _observe(self, binding: ClaimedBinding, verdict: Verdict) -> Verdict:
        """Take in what a verdict says of the target (`Sender._observe`)."""
        if verdict.outcome is Outcome.FORBIDDEN:
            self.forbidden.add(binding.pk)
            if len(self.forbidden) >= circuit.forbidden_most(has_succeeded=self.has_succeeded):
                verdict = replace(verdict, outcome=Outcome.CONFIGURATION)
        elif circuit.evidence_of(verdict) is circuit.Evidence.ANSWERED:
            self.forbidden.clear()
            self.has_succeeded |= verdict.outcome is Outcome.DONE
        self.is_stopped |= circuit.stops_all(verdict)
        return verdict

    # --- settling ----------------------------------------------------------------------------------------------------
    def settle(self, jitter: float) -> None:
        """Settle the deliveries that are over (`Settler.settle`); the others wait for their answers."""
        for sending in [sending for sending in self.deliveries if sending.is_over]:
            self.deliveries.remove(sending)
            self.bindings.remove(sending.delivery.binding)
            self._settle(sending, jitter)
        if not self.bindings:
            self.bindings, self.deliveries, self.is_committed = [], [], False

    def _settle(self, sending: Sending, jitter: float) -> None:
        rows, delivery, verdict = self.rows, sending.delivery, sending.verdict
        binding, key, model = delivery.binding, delivery.binding.key, model_of(delivery.binding.key)
        rules = Rules(
            can_look_up=rows.can_look_up,
            recreate=rows.recreate,
            overwrite=rows.overwrite,
            request_seconds=REQUEST_SECONDS,
        )
        found = self._candidates(sending)
        if delivery.action is Action.LOOKUP and verdict and verdict.outcome is Outcome.DONE:
            reached[f"a lookup finds {min(len(found), 2)}"] += 1
        end = End(action=delivery.action, known=binding.known, sent=delivery.sent, verdict=verdict, candidates=found)
        written = changes_after(binding.claim, end, rules, now=rows.now, jitter=jitter)
        if delivery.action in (Action.CREATE, Action.UPDATE) and written.get("agreed") is not None:
            written["parent_id"] = delivery.parent
        is_answered = _is_answered(delivery, verdict, found, written)
        is_taken = rows.is_taken(key, written.get("remote_id"))
        if is_taken:
            is_answered = False
            reached["an id that another has"] += 1
            rows.remote.blamed.add(key)
            written = taken_id(binding.claim, delivery.action, written["remote_id"])
        if verdict is not None and verdict.outcome in DEFINITE:
            written["settled_at"] = rows.now
        if rows.write(binding, written | {"lease_until": None}):
            self._count(sending, written)
            if is_answered:
                rows.unanswered.discard(key)
            if new := written.get("remote_id"):
                is_found = delivery.action is Action.LOOKUP or (verdict and verdict.outcome is Outcome.TAKEN)
                sought = delivery.sought if is_found and not rows.overwrite else None
                rows.remote.belongs_to(model, as_id(new), key, sought)
                if binding.last_remote_id and id_text(binding.last_remote_id) != id_text(new) and model == POSTS:
                    reached["children get a new id"] += 1
                    rows.raise_keys(rows.local.under(key))
            if written.get("made") and not binding.known.made:
                rows.remote.postpone(key, model, rows.now, rows.patience)
        if verdict is not None and verdict.target_waits is not None:
            rows.not_before = rows.now + timedelta(seconds=verdict.target_waits)
        if verdict is not None and verdict.outcome is Outcome.CONFIGURATION:
            rows.blocked = True

    def _candidates(self, sending: Sending) -> list[Candidate]:
        """Return the listed records that may be the wanted one (`RestSettler.candidates`)."""
        sought = sending.delivery.sought
        if sought is None or not sending.records:
            return []
        bound = self.rows.bound(model_of(sending.delivery.binding.key))
        return [each for each in search(sending.records, sought, ANSWERS) if id_text(each.remote_id) not in bound]

    def _count(self, sending: Sending, written: Changes) -> None:
        """Count the situation, and note the object whose record is gone where the route rejects it."""
        delivery, verdict, remote = sending.delivery, sending.verdict, self.rows.remote
        key, model = delivery.binding.key, model_of(delivery.binding.key)
        if verdict is not None:
            reached[f"{delivery.action}: {verdict.outcome}"] += 1
        if written.get("in_doubt"):
            reached["in doubt"] += 1
            self._check_doubt(sending, written)
        if verdict is not None and verdict.outcome is Outcome.GONE:
            number = as_id(str(delivery.binding.known.remote_id))
            assert number not in remote.records[model], f"the record {number} of {key} is there, and counts as gone"
            if written.get("rejected"):
                reached["rejected because it is gone"] += 1
                remote.blamed.add(key)
        if verdict is not None and verdict.is_disputed and written.get("rejected"):
            reached["rejected because it is gone, and listed"] += 1
            remote.blamed.add(key)
        if written.get("rejected"):
            reached["rejected"] += 1
        if written.get("refused_at"):
            reached["refused"] += 1

    def _check_doubt(self, sending: Sending, written: Changes) -> None:
        """Check that the records at the target leave a doubt, by how that target keeps what it is sent."""
        sought, remote = sending.delivery.sought, self.rows.remote
        if sending.terms != self.rows.terms(model_of(sending.delivery.binding.key)):
            return  # a field was renamed since: what the target lists can't be understood
        if not written["candidates"] or sought is None:
            assert not self.rows.can_look_up or written["reason"] == NEVER_LISTED, written["reason"]
            return
        # What was accepted under a name that was changed since is not understood either.
        understood = [body for body in (sought.body, sought.before) if body and body.keys() >= sought.body.keys()]
        bodies = [remote.dialect.kept(body) for body in understood]
        lookup = {HEADING.get(name, name) for name in sought.lookup}
        free = [record for record in sending.records if str(record["id"]) not in self.rows.bound(sought.path)]
        free = [{HEADING.get(name, name): value for name, value in record.items()} for record in free]
        equal = [one for one in free if any(all(one[name] == kept[name] for name in kept) for kept in bodies)]
        fitting = equal or [one for one in free if all(one[name] == bodies[0][name] for name in lookup)]
        assert fitting, f"nothing at the target is like {sought.body}, and {sending.delivery.binding.key} is in doubt"
        assert len(equal) != 1 or remote.dialect.is_lossy, f"{equal[0]} is certainly {sending.delivery.binding.key}"


def _refuses_filter(verdict: Verdict, exchange: Exchange) -> bool:
    """Return whether the whole list is asked for after a filtered one (`exchanges._refuses_filter`)."""
    return verdict.outcome in (Outcome.PERMANENT, Outcome.FORBIDDEN) or exchange.status == 404


def _is_answered(delivery: Delivery, verdict: Verdict | None, found: Sequence[Candidate], written: Changes) -> bool:
    """Return whether the outcome of the object's create is known now."""
    outcome = verdict.outcome if verdict else None
    if delivery.action is Action.CREATE:
        return outcome not in (Outcome.UNKNOWN, Outcome.MADE)
    if delivery.action is Action.REPLAY:
        return outcome is Outcome.DONE
    is_known = not written.get("in_doubt") and not (delivery.binding.known.made and not found)
    return delivery.action is Action.LOOKUP and outcome is Outcome.DONE and is_known
