"""The target: its records, its answers, and the requests in flight."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from syncer.core.decide import Action, Payload
from syncer.core.outcome import Exchange, Silence
from tests.simulator.local import COMMENTS, MODELS, POSTS, reached

REQUEST_SECONDS = 10.0  # D: after this time a request has landed or died
KEY_HOURS = 1  # for which the target remembers an Idempotency-Key


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
    Fate.TOO_MANY: (429, "7", False),
    Fate.FAILED: (500, "", False),
    Fate.FAILED_AFTER: (502, "", True),
    Fate.UNAVAILABLE: (503, "30", False),
}


@dataclass
class Record:
    """One record; `owner` is the key of its object, None for a record of somebody else."""

    fields: Payload
    owner: str | None


@dataclass(eq=False)
class Request:
    """One request."""

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

    honors_keys: bool = False  # whether a create with a known key is answered as it was the first time
    honors_filters: bool = True  # whether a lookup lists only the records it asks for, rather than all
    strict: bool = True  # whether a comment of a missing post is refused
    # The effect of deleting a post on its comments: `cascade`, `refuse` (while there are any), `leave`.
    below: str = "cascade"
    records: dict[str, dict[int, Record]] = field(default_factory=lambda: {model: {} for model in MODELS})
    ever: Counter[str] = field(default_factory=Counter)  # the number of records ever created
    vanished: set[tuple[str, int]] = field(default_factory=set)  # deleted by somebody else, or with their parent
    touched: set[tuple[str, int]] = field(default_factory=set)  # changed by somebody else
    on_their_way: list[Request] = field(default_factory=list)
    keys: dict[object, tuple[Payload, datetime, Exchange]] = field(default_factory=dict)
    bodies: dict[object, Payload] = field(default_factory=dict)  # the body that was sent under each key
    requests: int = 0
    blamed: set[str] = field(default_factory=set)  # objects that were refused for good

    def send(self, request: Request, fate: Fate, now: datetime) -> None:
        """Send one request and give it its fate."""
        waiting = [in_flight.owner for in_flight in self.on_their_way]
        assert request.owner not in waiting, f"{request.owner} is sent while an earlier request may still arrive"
        if request.key is not None:
            assert self.bodies.setdefault(request.key, request.body) == request.body, "a key was used for another body"
        self.requests += 1
        if fate is Fate.NOT_SENT:
            request.exchange = Exchange(silence=Silence.NOT_SENT, why="refused the connection")
        elif fate in STATUS:
            status, retry_after, is_done = STATUS[fate]
            if is_done:
                self._carry_out(request, now)
            elif status in (409, 422):
                self.blamed.add(request.owner)
            request.exchange = Exchange(status=status, retry_after=retry_after)
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
            request.exchange = worse.get(fate, answer)

    def look_up(
        self, owner: str, model: str, like: Payload, by: tuple[str, ...], fate: Fate
    ) -> tuple[Exchange, list[Any]]:
        """List a model's records; a lookup changes nothing, so a lost one is like a late one."""
        waiting = [in_flight.owner for in_flight in self.on_their_way]
        assert owner not in waiting, f"{owner} is looked up while its create may still arrive"
        self.requests += 1
        if fate in STATUS:
            status, retry_after, _ = STATUS[fate]
            if status in (409, 422):
                self.blamed.add(owner)
            return Exchange(status=status, retry_after=retry_after), []
        if fate is not Fate.ARRIVES:
            return _lost(), []
        names = by if self.honors_filters else ()
        matches = [
            {"id": number, **record.fields}
            for number, record in self.records[model].items()
            if all(record.fields[name] == like.get(name) for name in names)
        ]
        return Exchange(status=200, body=b"[]"), matches

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

    def belongs_to(self, model: str, number: int, owner: str) -> None:
        """Make `owner` the owner of a record that its binding adopted; two equal records exchange their owners."""
        record = self.records[model].get(number)
        if record is not None and record.owner != owner:
            for other in self.records[model].values():
                if other.owner == owner:
                    other.owner = record.owner
            record.owner = owner

    def of(self, owner: str, model: str) -> list[int]:
        """Return the ids of an object's records: at most one, if the laws hold."""
        return [number for number, record in self.records[model].items() if record.owner == owner]

    def remove(self, model: str, number: int, *, by_us: bool) -> None:
        """Delete a record, and its children where the target cascades."""
        del self.records[model][number]
        if not by_us:
            self.vanished.add((model, number))
        for child in self._under(number) if model == POSTS and self.below == "cascade" else ():
            del self.records[COMMENTS][child]
            self.vanished.add((COMMENTS, child))

    def may_go(self, model: str, number: int) -> bool:
        """Return whether the target accepts a delete of this record."""
        return model == COMMENTS or self.below != "refuse" or not self._under(number)

    def _under(self, number: int) -> list[int]:
        return [child for child, record in self.records[COMMENTS].items() if record.fields["post"] == number]

    def _carry_out(self, request: Request, now: datetime) -> Exchange:
        if request.key is not None and self.honors_keys and request.key in self.keys:
            body, at, answer = self.keys[request.key]
            if now < at + timedelta(hours=KEY_HOURS):
                assert body == request.body
                return answer
        answer = self._answer(request)
        if answer.status in (409, 422):
            self.blamed.add(request.owner)
        if request.key is not None:
            self.keys[request.key] = (request.body, now, answer)
        return answer

    def _answer(self, request: Request) -> Exchange:
        records = self.records[request.model]
        if request.action is Action.DELETE:
            if request.remote_id not in records:
                return Exchange(status=404)
            if not self.may_go(request.model, request.remote_id):
                return Exchange(status=409, body=b"it has comments")
            self.remove(request.model, request.remote_id, by_us=True)
            return Exchange(status=204)
        post = request.body.get("post", 0)
        assert isinstance(post, int), f"{request.owner} names {post!r} as its parent"
        assert 0 <= post <= self.ever[POSTS], f"{request.owner} names a parent that never was"
        if "bad" in request.body.values() or (self.strict and post and post not in self.records[POSTS]):
            return Exchange(status=422, body=b"no")
        if request.action is Action.UPDATE:
            if request.remote_id not in records:
                return Exchange(status=404)
            old = records[request.remote_id]
            old.fields = {**old.fields, **request.body} if request.patch else dict(request.body)
            return Exchange(status=200, body=b"{}")
        self.ever[request.model] += 1
        number = self.ever[request.model]
        records[number] = Record(dict(request.body), request.owner)
        # As some servers do, answer with more than was sent, and not quite the same.
        echo = {name: f"{value} " for name, value in request.body.items()}
        return Exchange(status=201, body=json.dumps({**echo, "id": number}).encode())


def _lost() -> Exchange:
    return Exchange(silence=Silence.LOST, why="did not answer")


def as_id(encoded: str) -> int:
    """Return the number of a binding's `remote_id`."""
    number: Any = json.loads(encoded)
    return int(number)
