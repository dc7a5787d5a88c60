"""What came of a batch, written object by object."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from backoffice.kit import clock
from syncer.core.answers import Exchange, Outcome, Verdict
from syncer.core.decide import Action
from syncer.core.push import changes_after_push, record
from syncer.core.replica import Seen, covers
from syncer.core.settle import Changes
from syncer.delivery.parcel import Lane, Parcel
from syncer.delivery.send import Result, Sent
from syncer.delivery.settling import Settler
from syncer.models import Binding
from syncer.peers import identity, message, wire
from syncer.peers.greeting import look_at, understood
from syncer.peers.message import Item, Told

MEANS = {message.Result.REFUSED: Outcome.PERMANENT, message.Result.LATER: Outcome.RETRYABLE}


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A claimed object as it is handed over.

    Attributes:
        is_there: it exists here.
        read: the newest row of its history that it holds.
        parent: the binding of the object that it hangs under.
    """

    lane: Lane
    item: Item
    is_there: bool
    read: int
    parent: int | None = None

    @property
    def is_news(self) -> bool:
        """The peer is not known to have seen all of it."""
        return not covers(self.lane.peer_seen, self.item.state.seen)

    def parcel(self, action: Action) -> Parcel:
        return Parcel(lane=self.lane, action=action, sent=self.item.as_json(), parent=self.parent)


@dataclass(frozen=True, kw_only=True)
class PeerSettler(Settler):
    """Settles hand-overs; `known` is what the peer has seen of each binding when it is written."""

    known: dict[int, Seen] = field(default_factory=dict)
    pushed: dict[int, Pushed] = field(default_factory=dict)

    def settle_batch(self, batch: list[Pushed], result: Result, *, me: str) -> None:
        """Write what the answer to a batch, sent as our incarnation `me`, means for each of its objects."""
        target = self.routes.target
        verdict = result.verdict and look_at(target, result.verdict)
        told = wire.read_answer(target, verdict.record).told if verdict and verdict.outcome is Outcome.DONE else {}
        if told:
            understood(target, me)
        if me != identity.writer():
            verdict = Verdict(outcome=Outcome.RETRYABLE, why="answered what we were before a restore")
        self.pushed.update({one.lane.pk: one for one in batch})
        self.settle([(one.parcel(Action.PUSH), _result(one, result, verdict, told)) for one in batch])

    def _prepare(self, results: list[tuple[Parcel, Result]]) -> None:
        """Another answer, or a batch of the peer's own, may have told more meanwhile."""
        rows = Binding.objects.filter(pk__in=[parcel.lane.pk for parcel, _ in results])
        locked = rows.select_for_update(of=("self",)).order_by("object_key")
        self.known.update({pk: seen or {} for pk, seen in locked.values_list("pk", "peer_seen")})

    def _changes(self, parcel: Parcel, result: Result) -> Changes:
        if parcel.action is not Action.PUSH or result.verdict is None:
            return super()._changes(parcel, result)
        one = self.pushed[parcel.lane.pk]
        seen, known = one.item.state.seen, self.known.get(parcel.lane.pk, {})
        now, jitter = clock.now(), random.random()  # noqa: S311 - no secret
        changes = changes_after_push(parcel.lane.claim, result.verdict, seen, known, now=now, jitter=jitter)
        if result.verdict.outcome is Outcome.DONE:
            changes |= record(one.item.key, is_there=one.is_there) | {"common": one.read}
            changes["parent_id"] = one.parent if one.is_there else None
        return changes

    def _shown(self, results: list[tuple[Parcel, Result]], lost: set[int]) -> list[Verdict]:
        """One request, one verdict: what the peer says of single objects is none of the target's health."""
        shown = super()._shown(results, lost)[:1]
        is_own = {Outcome.PERMANENT: Outcome.DONE}
        return [replace(one, outcome=is_own.get(one.outcome, one.outcome)) for one in shown]


def _result(one: Pushed, result: Result, verdict: Verdict | None, told: Mapping[str, Told]) -> Result:
    """What the answer means for one object, with an exchange that shows its own part only."""
    if verdict is None:
        return result
    answer = told.get(one.item.key)
    if verdict.outcome is Outcome.DONE:
        verdict = _verdict(answer)
    return Result(verdict=verdict, sent=tuple(_part(sent, one, answer) for sent in result.sent))


def _verdict(answer: Told | None) -> Verdict:
    if answer is None:
        return Verdict(outcome=Outcome.UNKNOWN, why="left it out of its answer")
    outcome = MEANS.get(answer.result, Outcome.DONE)
    return Verdict(outcome=outcome, why="" if outcome is Outcome.DONE else f"answered {answer.result}: {answer.why}")


def _part(sent: Sent, one: Pushed, answer: Told | None) -> Sent:
    if answer is None:
        return replace(sent, request=replace(sent.request, body=one.item.as_json()))
    text = json.dumps(answer.as_json(), ensure_ascii=False)
    exchange = Exchange(status=sent.exchange.status, body=text.encode())
    return replace(sent, request=replace(sent.request, body=one.item.as_json()), exchange=exchange)
