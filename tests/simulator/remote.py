"""The target: its records, its answers, and the requests in flight."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from syncer.core.decide import Action, Payload, Sought
from syncer.core.outcome import Exchange, Silence
from tests.simulator.dialect import HEADING, Dialect, as_json
from tests.simulator.local import COMMENTS, MODELS, POSTS, WALL, reached

REQUEST_SECONDS = 10.0  # D: after this time a request has landed or died
KEY_HOURS = 1  # for which the target remembers an Idempotency-Key
SOON = timedelta(seconds=REQUEST_SECONDS / 2)  # after which an accepted create is listed, if its answer was lost


class Fate(StrEnum):
    """The fates of a request."""

    ARRIVES = "it arrives, and so does the answer"
    NOT_SENT = "the connection is refused"
    NEVER_ARRIVES = "it is lost on the way"
    ANSWER_LOST = "its answer is lost"
    LATE = "it arrives late, while we wait"
    LATE_UNSEEN = "it arrives late, after the connection was reset for us"
    BUSY = "408"
    CONFLICT = "409"
    REFUSED = "422"
    FORBIDDEN = "403"
    MISROUTED = "404"
    NOT_ALLOWED = "405"
    TOO_MANY = "429"
    FAILED = "500, not carried out"
    FAILED_AFTER = "500, carried out"
    UNAVAILABLE = "503 with Retry-After"
    GARBAGE = "carried out, with an unreadable answer"
    WITHOUT_ID = "carried out, with an answer that names no id"


STATUS = {  # status, Retry-After, whether it is carried out
    Fate.BUSY: (408, "", False),
    Fate.CONFLICT: (409, "", False),
    Fate.REFUSED: (422, "", False),
    Fate.FORBIDDEN: (403, "", False),
    Fate.MISROUTED: (404, "", False),
    Fate.NOT_ALLOWED: (405, "", False),
    Fate.TOO_MANY: (429, "7", False),
    Fate.FAILED: (500, "", False),
    Fate.FAILED_AFTER: (502, "", True),
    Fate.UNAVAILABLE: (503, "30", False),
}
OF_A_GATEWAY = (403, 404, 405)  # it may be the answer of something in front of the target


@dataclass
class Record:
    """One record; `owner` is the key of its object, None for a record of somebody else."""

    fields: Payload
    owner: str | None
    listed_from: datetime | None = None  # None: at once


@dataclass(eq=False)
class Request:
    """One request that is to change something."""

    owner: str
    model: str
    action: Action
    dies: datetime  # the time after which the request can't arrive any more
    remote_id: int | None = None
    body: Payload = field(default_factory=dict)
    patch: bool = False
    key: object = None
    exchange: Exchange | None = None  # what the sender saw; None until then


@dataclass
class Remote:
    """The target."""

    dialect: Dialect = field(default_factory=Dialect)
    renamed: bool = False  # whether records have a `heading` instead of a `title`
    records: dict[str, dict[int, Record]] = field(default_factory=lambda: {model: {} for model in MODELS})
    ghosts: dict[str, dict[int, tuple[Record, datetime]]] = field(  # deleted, and until when they are listed
        default_factory=lambda: {model: {} for model in MODELS}
    )
    gateway: tuple[int, datetime] | None = None  # what something before the target answers to everything, until when
    ever: Counter[str] = field(default_factory=Counter)  # the number of records ever created
    vanished: set[tuple[str, int]] = field(default_factory=set)  # deleted by somebody else, or with their parent
    touched: set[tuple[str, int]] = field(default_factory=set)  # changed by somebody else
    on_their_way: list[Request] = field(default_factory=list)
    keys: dict[object, tuple[Payload, datetime, Exchange]] = field(default_factory=dict)
    bodies: dict[object, Payload] = field(default_factory=dict)  # the body that was sent under each key
    requests: int = 0
    blamed: set[str] = field(default_factory=set)  # objects that were refused for good
    suspected: set[str] = field(default_factory=set)  # objects that were refused, perhaps by a gateway
    in_the_way: dict[str, Request] = field(default_factory=dict)  # requests last refused because of another record

    # --- requests that change something ------------------------------------------------------------------------------
    def send(self, request: Request, fate: Fate, now: datetime) -> None:
        """Send one request and give it its fate."""
        waiting = [in_flight.owner for in_flight in self.on_their_way]
        assert request.owner not in waiting, f"{request.owner} is sent while an earlier request may still arrive"
        if request.key is not None:
            assert self.bodies.setdefault(request.key, request.body) == request.body, "a key was used for another body"
        self.requests += 1
        self.in_the_way.pop(request.owner, None)
        if fate is Fate.NOT_SENT:
            request.exchange = Exchange(silence=Silence.NOT_SENT, why="refused the connection")
        elif status := self._intercepted(now, as_json(request.body)):
            request.exchange = self._refused_by_gateway(request.owner, status)
        elif fate in STATUS:
            if STATUS[fate][2]:
                self._carry_out(request, now)
            elif STATUS[fate][0] in (409, 422):
                self.blamed.add(request.owner)
            elif STATUS[fate][0] in OF_A_GATEWAY:
                self.suspected.add(request.owner)
            request.exchange = _failed(fate)
        elif fate in (Fate.LATE, Fate.LATE_UNSEEN):
            self.on_their_way.append(request)
            if fate is Fate.LATE_UNSEEN:
                request.exchange = _lost()
        elif fate is Fate.NEVER_ARRIVES:
            request.exchange = _lost()
        else:
            answer = self._carry_out(request, now)
            worse = {
                Fate.ANSWER_LOST: _lost(),
                Fate.GARBAGE: Exchange(status=200, body=b"<html>"),
                Fate.WITHOUT_ID: Exchange(status=answer.status, body=b"{}"),
            }
            is_done = (answer.status or 0) < 400
            request.exchange = worse[fate] if fate in worse and (is_done or fate is Fate.ANSWER_LOST) else answer

    def land(self, request: Request, now: datetime) -> None:
        """Let a late request arrive after all."""
        reached["a late request arrives" + (" after its end" if request.exchange else "")] += 1
        self.on_their_way.remove(request)
        answer = self._carry_out(request, now)
        request.exchange = request.exchange or answer

    def bury(self, now: datetime, *, at_last: bool = False) -> None:
        """End the requests whose time is over: they arrive at the last moment, or never."""
        for request in [request for request in self.on_their_way if request.dies <= now]:
            if at_last:
                self.land(request, request.dies)
                continue
            self.on_their_way.remove(request)
            request.exchange = request.exchange or _lost()

    # --- requests that change nothing --------------------------------------------------------------------------------
    def list_(
        self, owner: str, model: str, query: Payload, fate: Fate, now: datetime, *, is_evidence: bool
    ) -> Exchange:
        """List a model's records, filtered as they are kept; a lost answer is like a late one.

        Args:
            is_evidence: an earlier answer was about the object if the list can be read, or the target refuses to list
                at all, and is not else.
        """
        refused = self._read(owner, fate, now, as_json(query))
        if refused is not None:
            has_no_list = refused.status in (405, 409, 422) and owner in self.suspected
            if has_no_list if is_evidence else refused.status in (403, 405, 409, 422):
                self.blamed.add(owner)
            return refused
        if is_evidence and owner in self.suspected:
            self.blamed.add(owner)
        listed = self.listed(model, now)
        if self.dialect.honors_filters:
            listed = {
                number: record
                for number, record in listed.items()
                if all(str(self.shown(record).get(name, value)) == str(value) for name, value in query.items())
            }
        shown = [
            ({} if fate is Fate.WITHOUT_ID else {"id": self.dialect.id_listed(number)}) | self.shown(record)
            for number, record in listed.items()
        ]
        return Exchange(status=200, body=as_json(shown))

    def get(self, owner: str, model: str, number: int, fate: Fate, now: datetime) -> Exchange:
        """Show one record."""
        refused = self._read(owner, fate, now, b"")
        if refused is not None:
            return refused
        record = self.records[model].get(number)
        return Exchange(status=404) if record is None else Exchange(status=200, body=as_json(self.shown(record)))

    def _read(self, owner: str, fate: Fate, now: datetime, text: bytes) -> Exchange | None:
        """Return what a request that changes nothing is answered without being carried out; None where it is."""
        waiting = [in_flight.owner for in_flight in self.on_their_way]
        assert owner not in waiting, f"{owner} is looked up while its create may still arrive"
        self.requests += 1
        status = self._intercepted(now, text) or (STATUS[fate][0] if fate in STATUS else 0)
        if fate in STATUS:
            return _failed(fate)
        if status:
            return Exchange(status=status)
        if fate is Fate.GARBAGE:
            return Exchange(status=200, body=b"<html>")
        return None if fate in (Fate.ARRIVES, Fate.WITHOUT_ID) else _lost()

    # --- what it holds -----------------------------------------------------------------------------------------------
    def shown(self, record: Record) -> Payload:
        """Return a record's fields by the names that they have today."""
        names = {canonical: name for name, canonical in HEADING.items()} if self.renamed else {}
        return {names.get(name, name): value for name, value in record.fields.items()}

    def listed(self, model: str, now: datetime) -> dict[int, Record]:
        """Return the records that a list shows: not the newest of a slow target, and some that were deleted."""
        ghosts = {number: record for number, (record, until) in self.ghosts[model].items() if now < until}
        present = {
            number: record
            for number, record in self.records[model].items()
            if record.listed_from is None or record.listed_from <= now
        }
        return ghosts | present

    def is_pending(self, owner: str, model: str, now: datetime) -> bool:
        """Return whether a record of the object was accepted that nobody can see yet."""
        return any(
            record.owner == owner and record.listed_from is not None and record.listed_from > now
            for record in self.records[model].values()
        )

    def postpone(self, owner: str, model: str, now: datetime, seconds: float | None) -> None:
        """Let a record that was accepted appear later than it would; None: it never does, nor was it made.

        Of two equal records, one of which is not listed for long, nobody could say whose the other is.
        """
        for number, record in [*self.records[model].items()]:
            if record.owner != owner or record.listed_from is None or record.listed_from <= now:
                continue
            if self._equal(model, record.fields, number):
                continue
            if seconds is None:
                del self.records[model][number]
                self.vanished.add((model, number))
            else:
                record.listed_from = now + timedelta(seconds=seconds)

    def _equal(self, model: str, fields: Payload, but: int) -> list[Record]:
        return [record for number, record in self.records[model].items() if number != but and record.fields == fields]

    def belongs_to(self, model: str, number: int, owner: str, sought: Sought | None) -> None:
        """Make `owner` the owner of a record that its binding adopted; two equal records exchange their owners.

        Args:
            sought: what was looked for; None where the target's answer named the record, or a person.
        """
        record = self.records[model].get(number)
        if record is None or record.owner == owner:
            return
        if sought is not None:
            bodies = [self.dialect.kept(body) for body in (sought.body, sought.before) if body]
            is_like = any(kept == {name: record.fields.get(name) for name in kept} for kept in bodies)
            assert is_like, f"{owner} takes {record} for {sought}"
        for other in self.records[model].values():
            if other.owner == owner:
                other.owner = record.owner
        record.owner = owner

    def of(self, owner: str, model: str) -> list[int]:
        """Return the ids of an object's records: at most one, if the laws hold."""
        return [number for number, record in self.records[model].items() if record.owner == owner]

    def remove(self, model: str, number: int, now: datetime, *, by_us: bool) -> None:
        """Delete a record, and its children where the target cascades."""
        self._remove(model, number, now)
        if not by_us:
            self.vanished.add((model, number))
        for child in self._under(number) if model == POSTS and self.dialect.below == "cascade" else ():
            self._remove(COMMENTS, child, now)
            self.vanished.add((COMMENTS, child))

    def _remove(self, model: str, number: int, now: datetime) -> None:
        record = self.records[model].pop(number)
        if self.dialect.slow:
            self.ghosts[model][number] = record, now + timedelta(seconds=self.dialect.slow)

    def may_go(self, model: str, number: int) -> bool:
        """Return whether the target accepts a delete of this record."""
        return model == COMMENTS or self.dialect.below != "refuse" or not self._under(number)

    def _under(self, number: int) -> list[int]:
        return [
            child
            for child, record in self.records[COMMENTS].items()
            if str(record.fields["post"]).strip() == str(number)
        ]

    def has_title(self, title: object, *, but: int | None = None) -> bool:
        """Return whether a post with this title is there, as the target keeps it."""
        return any(record.fields["title"] == title for number, record in self.records[POSTS].items() if number != but)

    def refuses_for_another(self, request: Request) -> int:
        """Return the status with which a request is refused because of another record; 0: it is not."""
        if request.action is Action.DELETE:
            there = request.remote_id in self.records[request.model]
            return 409 if there and not self.may_go(request.model, request.remote_id or 0) else 0
        kept = self.dialect.kept(request.body)
        if "title" in kept and self.dialect.unique and self.has_title(kept["title"], but=request.remote_id):
            return self.dialect.unique
        post = request.body.get("post")
        return 422 if self.dialect.strict and post is not None and as_id(post) not in self.records[POSTS] else 0

    # --- answers -----------------------------------------------------------------------------------------------------
    def _intercepted(self, now: datetime, text: bytes) -> int:
        """Return the status that something before the target answers; 0: nothing does."""
        if self.gateway is not None and now < self.gateway[1]:
            return self.gateway[0]
        return 403 if self.dialect.has_firewall and as_json(WALL).strip(b'"') in text else 0

    def _refused_by_gateway(self, owner: str, status: int) -> Exchange:
        self.suspected.add(owner)
        return Exchange(status=status, body=b"default backend")

    def _carry_out(self, request: Request, now: datetime) -> Exchange:
        if request.key is not None and self.dialect.honors_keys and request.key in self.keys:
            body, at, answer = self.keys[request.key]
            if now < at + timedelta(hours=KEY_HOURS):
                assert body == request.body
                return answer
        answer = self._answer(request, now)
        if answer.status in (409, 422):
            self.blamed.add(request.owner)
        if request.key is not None:
            self.keys[request.key] = (request.body, now, answer)
        return answer

    def _answer(self, request: Request, now: datetime) -> Exchange:
        records = self.records[request.model]
        if request.action is Action.DELETE and request.remote_id not in records:
            return Exchange(status=404)
        if request.action is not Action.DELETE:
            post = as_id(request.body.get("post", 0))
            assert 0 <= post <= self.ever[POSTS], f"{request.owner} names a parent that never was"
            if "bad" in request.body.values():
                return Exchange(status=422, body=b"no")
            if request.action is Action.UPDATE and request.remote_id not in records:
                return Exchange(status=404)
        if status := self.refuses_for_another(request):
            self.in_the_way[request.owner] = replace(request)
            return Exchange(status=status, body=b"another record is in the way")
        if request.action is Action.DELETE:
            self.remove(request.model, request.remote_id or 0, now, by_us=True)
            return Exchange(status=204)
        kept = self.dialect.kept(request.body)
        if request.action is Action.UPDATE:
            old = records[request.remote_id or 0]
            old.fields = {**old.fields, **kept} if request.patch else kept
            return Exchange(status=200, body=b"{}")
        return self._created(request, kept, now)

    def _created(self, request: Request, kept: Payload, now: datetime) -> Exchange:
        self.ever[request.model] += 1
        number = self.ever[request.model]
        record = self.records[request.model][number] = Record(kept, request.owner)
        match self.dialect.creates:
            case "empty":
                return Exchange(status=201)
            case "see":
                return Exchange(status=303, headers={"location": f"https://remote/{request.model}/{number}"})
            case "see nothing":
                return Exchange(status=303)
            case "accepted":
                record.listed_from = min(now + SOON, request.dies)  # as an engine assumes that knows of no answer
                for other in self._equal(request.model, kept, number):
                    other.listed_from = min(other.listed_from or now, now + SOON)
                return Exchange(status=202, body=b"{}")
        # As some servers do, answer with more than was sent, and not quite the same.
        echo = {name: f"{value} " for name, value in request.body.items()}
        return Exchange(status=201, body=as_json({**echo, "id": self.dialect.id_answered(number)}))


def _failed(fate: Fate) -> Exchange:
    status, retry_after, _ = STATUS[fate]
    return Exchange(status=status, headers={"retry-after": retry_after} if retry_after else {})


def _lost() -> Exchange:
    return Exchange(silence=Silence.LOST, why="did not answer")


def as_id(encoded: str | int) -> int:
    """Return the number of an id: a binding's `remote_id`, or a value as it is sent."""
    number: Any = json.loads(str(encoded))
    return int(number)
