"""What came of a batch, written object by object."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from backoffice.kit import clock
from syncer.core.decide import Action, Changes, ClaimedBinding, Delivery
from syncer.core.merge import VersionVector, covers
from syncer.core.outcome import Exchange, Outcome, Verdict, unquoted
from syncer.core.push import changes_after_push, record
from syncer.core.settle import End, Terms, changes_after
from syncer.engine.sender import SendResult, Sent
from syncer.engine.settling import Results, Settler
from syncer.models import Binding, Target
from syncer.targets.peer import identity, message
from syncer.targets.peer.message import Item, ItemResult
from syncer.targets.peer.outbound.handshake import OLD, look_at, understood

TOO_LARGE = 413
MEANS = {message.Result.REFUSED: Outcome.PERMANENT, message.Result.LATER: Outcome.RETRYABLE}


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A claimed object as it is handed over.

    Attributes:
        is_there: it exists here.
        read: the newest row of its history that it holds.
        parent: the binding of the object that it hangs under.
    """

    binding: ClaimedBinding
    item: Item
    is_there: bool
    read: int
    parent: int | None = None

    @property
    def is_news(self) -> bool:
        """The peer is not known to have seen all of it."""
        return not covers(self.binding.peer_seen, self.item.state.seen)

    def delivery(self, action: Action) -> Delivery:
        return Delivery(binding=self.binding, action=action, sent=self.item.as_json(), parent=self.parent)


@dataclass(frozen=True, kw_only=True)
class PeerSettler(Settler):
    """Settles hand-overs.

    Attributes:
        batch, verdict, answered_by: what is being settled: its objects, what the answer means for all of them, and the
            incarnation that gave it; empty: none that counts.
        known: what the peer has seen of each, read under lock.
        newer: the peer's incarnation, where it is not the one that answered any more.
    """

    batch: dict[int, Pushed] = field(default_factory=dict)
    verdict: Verdict | None = None
    answered_by: str = ""
    known: dict[int, VersionVector] = field(default_factory=dict)
    newer: list[str] = field(default_factory=list)

    def settle_batch(self, batch: list[Pushed], result: SendResult, *, me: str) -> None:
        """Write what the answer to a batch, sent as our incarnation `me`, means for each of its objects."""
        verdict, answer = (None, None) if result.verdict is None else look_at(self.routes.target, result.verdict)
        if answer is not None:
            understood(self.routes.target, me)
        if verdict is not None and len(batch) == 1 and any(sent.exchange.status == TOO_LARGE for sent in result.sent):
            verdict = replace(verdict, outcome=Outcome.PERMANENT)  # this one object, and no setting
        if verdict is not None and me != identity.writer():
            verdict, answer = Verdict(outcome=Outcome.RETRYABLE, why="answered what we were before a restore"), None
        told = answer.told if answer else {}
        pairs = [(one.delivery(Action.PUSH), _result(one, result, verdict, told)) for one in batch]
        of_batch = replace(
            self,
            batch={one.binding.pk: one for one in batch},
            verdict=verdict,
            answered_by=answer.writer if answer else "",
            known={},
            newer=[],
        )
        of_batch.settle(pairs)

    def prepare(self, results: Results) -> None:
        """Another answer, or a batch of the peer's own, may have told more meanwhile; or that it was restored."""
        rows = Binding.objects.filter(pk__in=[delivery.binding.pk for delivery, _ in results])
        locked = rows.select_for_update(of=("self",)).order_by("object_key")
        self.known.update({pk: seen or {} for pk, seen in locked.values_list("pk", "peer_seen")})
        if self.answered_by:
            # After the bindings: who notes a newer incarnation has them first too, see `contact`.
            target = Target.objects.filter(pk=self.route.target_id)
            self.newer.extend(target.exclude(peer_writer=self.answered_by).values_list("peer_writer", flat=True))

    def changes(self, delivery: Delivery, result: SendResult) -> Changes:
        if delivery.action is not Action.PUSH or result.verdict is None:
            end = End(action=delivery.action, known=delivery.binding.known, sent=delivery.sent, verdict=result.verdict)
            return changes_after(delivery.binding.claim, end, Terms(), now=clock.now(), jitter=0)
        one, verdict = self.batch[delivery.binding.pk], result.verdict
        if self.newer:
            verdict = OLD
        seen, known = one.item.state.seen, self.known.get(delivery.binding.pk, {})
        now, jitter = clock.now(), random.random()  # noqa: S311 - no secret
        changes = changes_after_push(delivery.binding.claim, verdict, seen, known, now=now, jitter=jitter)
        if verdict.outcome is Outcome.DONE:
            changes |= record(one.item.key, is_there=one.is_there) | {"common": one.read}
            changes["parent_id"] = one.parent if one.is_there else None
        return changes

    def verdicts(self, results: Results, lost: set[int]) -> list[Verdict]:
        """One request, one verdict: what the peer says of single objects is none of the target's health."""
        if self.verdict is None:
            return []
        return [replace(self.verdict, why=unquoted(self.verdict.why))] if lost else [self.verdict]


def _result(one: Pushed, result: SendResult, verdict: Verdict | None, told: Mapping[str, ItemResult]) -> SendResult:
    """What the answer means for one object, with an exchange that shows its own part only."""
    if verdict is None:
        return result
    if verdict.outcome is not Outcome.DONE:
        return SendResult(verdict=verdict, sent=tuple(_own(sent, one) for sent in result.sent))
    answer = told.get(one.item.key)
    text = "" if answer is None else json.dumps(answer.as_json(), ensure_ascii=False)
    parts = (replace(_own(sent, one), exchange=_said(sent, text)) for sent in result.sent)
    return SendResult(verdict=_verdict(one, answer), sent=tuple(parts))


def _verdict(one: Pushed, answer: ItemResult | None) -> Verdict:
    if answer is None:
        return Verdict(outcome=Outcome.UNKNOWN, why="left it out of its answer")
    outcome = MEANS.get(answer.result, Outcome.DONE)
    if outcome is not Outcome.DONE:
        return Verdict(outcome=outcome, why=f"answered {answer.result}: {answer.why}")
    if not covers(answer.seen or {}, one.item.state.seen):
        return Verdict(outcome=Outcome.UNKNOWN, why=f"answered {answer.result}, but not that it has seen it")
    return Verdict(outcome=outcome)


def _own(sent: Sent, one: Pushed) -> Sent:
    return replace(sent, request=replace(sent.request, body=one.item.as_json()))


def _said(sent: Sent, text: str) -> Exchange:
    return Exchange(status=sent.exchange.status, body=text.encode())
