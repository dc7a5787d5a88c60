"""Settling a batch: writing what its answer means for each object."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from backoffice.kit.phrases import phrase
from syncer.core.decide import Action, Changes, ClaimedBinding, Delivery
from syncer.core.merge import VersionVector, covers
from syncer.core.outcome import Exchange, Outcome, Verdict, unquoted
from syncer.core.push import changes_after_push, record
from syncer.core.settle import End, Rules, changes_after
from syncer.engine.sender import SendResult
from syncer.engine.settling import Results, Settler
from syncer.models import Binding, Target
from syncer.targets.peer import identity, message
from syncer.targets.peer.message import Item, ItemResult
from syncer.targets.peer.outbound.handshake import OLD, check_answer, record_acknowledged

TOO_LARGE = 413
REASON_SHOWN = 400  # characters
OUTCOMES = {message.Result.REFUSED: Outcome.PERMANENT, message.Result.LATER: Outcome.RETRYABLE}


@dataclass(frozen=True, kw_only=True)
class PushedObject:
    """A claimed object as it is sent.

    Attributes:
        is_there: whether the object exists here.
        read: the id of the newest row of its history that is stamped.
        parent: the id of its parent object's binding.
    """

    binding: ClaimedBinding
    item: Item
    is_there: bool
    read: int
    parent: int | None = None

    @property
    def is_news(self) -> bool:
        """Whether the object has edits that the peer is not known to have seen."""
        return not covers(self.binding.peer_seen, self.item.state.seen)

    @property
    def is_gone_since(self) -> bool:
        """Whether the object, which the peer has, was deleted here after it was claimed."""
        return not (self.is_there or self.binding.deletes) and self.binding.known.remote_id is not None

    def delivery(self, action: Action) -> Delivery:
        return Delivery(binding=self.binding, action=action, sent=self.item.as_json(), parent=self.parent)


@dataclass(frozen=True, kw_only=True)
class PeerSettler(Settler):
    """Settles the batches that were sent to a peer.

    Attributes:
        batch: the objects of the batch that is being settled, by the ids of their bindings.
        verdict: what the answer means for all of them.
        answered_by: the incarnation that answered; empty if there is no usable answer.
        known: the version vectors noted for the peer, read under lock, by the ids of the bindings.
        newer: the peer's newest incarnation, if that is no longer the one that answered.
    """

    batch: dict[int, PushedObject] = field(default_factory=dict)
    verdict: Verdict | None = None
    answered_by: str = ""
    known: dict[int, VersionVector] = field(default_factory=dict)
    newer: list[str] = field(default_factory=list)

    def settle_batch(self, batch: list[PushedObject], result: SendResult, *, me: str) -> None:
        """Write what the answer to a batch, which was sent as our incarnation `me`, means for each of its objects."""
        verdict, answer = (None, None) if result.verdict is None else check_answer(self.routes.target, result.verdict)
        if answer is not None:
            record_acknowledged(self.routes.target, me)
        if verdict is not None and len(batch) == 1 and any(sent.exchange.status == TOO_LARGE for sent in result.sent):
            verdict = replace(verdict, outcome=Outcome.PERMANENT)  # the fault is this object's, not a setting's
        if verdict is not None and me != identity.writer():
            verdict, answer = (
                Verdict(outcome=Outcome.RETRYABLE, why=phrase("answered what we were before a restore")),
                None,
            )
        item_results = answer.results if answer else {}
        pairs = [(pushed.delivery(Action.PUSH), _result(pushed, result, verdict, item_results)) for pushed in batch]
        of_batch = replace(
            self,
            batch={pushed.binding.pk: pushed for pushed in batch},
            verdict=verdict,
            answered_by=answer.writer if answer else "",
            known={},
            newer=[],
        )
        of_batch.settle(pairs)

    def prepare(self, results: Results) -> None:
        """Lock the bindings, and read what other answers or the peer's own batches have changed since.

        These may have brought newer version vectors, or a newer incarnation of the peer.
        """
        rows = Binding.objects.filter(pk__in=[delivery.binding.pk for delivery, _ in results])
        locked = rows.select_for_update(of=("self",)).order_by("object_key")
        self.known.update({pk: seen or {} for pk, seen in locked.values_list("pk", "peer_seen")})
        if self.answered_by:
            # After the bindings: `contact` locks in this order too.
            target = Target.objects.filter(pk=self.route.target_id)
            self.newer.extend(target.exclude(peer_writer=self.answered_by).values_list("peer_writer", flat=True))

    def changes(self, delivery: Delivery, result: SendResult, *, now: datetime) -> Changes:
        if delivery.action is not Action.PUSH or result.verdict is None:
            end = End(action=delivery.action, known=delivery.binding.known, sent=delivery.sent, verdict=result.verdict)
            return changes_after(delivery.binding.claim, end, Rules(), now=now, jitter=0)
        pushed, verdict = self.batch[delivery.binding.pk], result.verdict
        if self.newer:
            verdict = OLD
        seen, known = pushed.item.state.seen, self.known.get(delivery.binding.pk, {})
        jitter = random.random()  # noqa: S311 - no secret
        changes = changes_after_push(delivery.binding.claim, verdict, seen, known, now=now, jitter=jitter)
        if verdict.outcome is Outcome.DONE:
            changes |= record(pushed.item.key, is_there=pushed.is_there) | {"common": pushed.read}
            changes["parent_id"] = pushed.parent if pushed.is_there else None
        return changes

    def verdicts(self, results: Results, lost: set[int]) -> list[Verdict]:
        """Return the request's one verdict: the results of single objects do not count towards the target's health."""
        if self.verdict is None:
            return []
        return [replace(self.verdict, why=unquoted(self.verdict.why))] if lost else [self.verdict]


def _result(
    pushed: PushedObject, result: SendResult, verdict: Verdict | None, item_results: Mapping[str, ItemResult]
) -> SendResult:
    """Return what the answer means for one object, with an exchange that contains only this object's part."""
    if verdict is None:
        return result
    body = pushed.item.as_json()
    exchanges = [replace(sent, request=replace(sent.request, body=body)) for sent in result.sent]
    if verdict.outcome is not Outcome.DONE:
        return SendResult(verdict=verdict, sent=tuple(exchanges))
    item_result = item_results.get(pushed.item.key)
    text = "" if item_result is None else json.dumps(item_result.as_json(), ensure_ascii=False)
    parts = [replace(sent, exchange=Exchange(status=sent.exchange.status, body=text.encode())) for sent in exchanges]
    return SendResult(verdict=_verdict(pushed, item_result), sent=tuple(parts))


def _verdict(pushed: PushedObject, item_result: ItemResult | None) -> Verdict:
    if item_result is None:
        return Verdict(outcome=Outcome.UNKNOWN, why=phrase("omitted it from its answer"))
    outcome = OUTCOMES.get(item_result.result, Outcome.DONE)
    if outcome is not Outcome.DONE:
        why = phrase("answered %(result)s", result=item_result.result.value, quoted=item_result.why[:REASON_SHOWN])
        return Verdict(outcome=outcome, why=why)
    if not covers(item_result.seen or {}, pushed.item.state.seen):
        why = phrase("answered %(result)s, but not that it has seen it", result=item_result.result.value)
        return Verdict(outcome=Outcome.UNKNOWN, why=why)
    return Verdict(outcome=outcome)
