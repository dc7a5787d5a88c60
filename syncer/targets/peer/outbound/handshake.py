"""Saying who we are to a peer that does not know our incarnation, even with nothing else to send."""

import time

from django.db import transaction

from syncer.core.outcome import Outcome, Verdict
from syncer.engine import breaker
from syncer.engine.sender import Sender
from syncer.models import Target
from syncer.targets.peer import identity, wire
from syncer.targets.peer.contact import heard

OLD = Verdict(outcome=Outcome.RETRYABLE, why="answered as it was before it was restored")


def introduce(target: Target, sender: Sender, *, probe: bool = False) -> bool:
    """Send our incarnation to the peer; whether it answered that it knows it now."""
    me = identity.writer()
    ends = time.monotonic() + sender.lease_seconds
    result = wire.hand_over(sender, wire.hello(target, me), ends=ends).result()
    if result.verdict is None:
        return False
    verdict, answer = look_at(target, result.verdict)
    with transaction.atomic():
        is_over = breaker.note(target, [verdict], probe=probe, request_seconds=sender.client.request_seconds)
    if is_over:
        sender.stop()
    if answer is not None:
        understood(target, me)
    return answer is not None


def look_at(target: Target, verdict: Verdict) -> tuple[Verdict, wire.Answer | None]:
    """The answer, if the peer that the target is for gave it, in its newest incarnation; else a verdict that says why.

    What else a peer's answer is about is told object by object.
    """
    if verdict.outcome is not Outcome.DONE:
        return verdict, None
    try:
        answer = wire.read_answer(verdict.record)
    except wire.AnswerError as error:
        return Verdict(outcome=Outcome.UNKNOWN, why=str(error)), None
    if answer.node != target.peer_node:
        why = f"says that it is {answer.node!r}, but this target is for {target.peer_node!r}"
        return Verdict(outcome=Outcome.CONFIGURATION, why=why), None
    if not heard(target, answer.writer):
        return OLD, None
    return verdict, answer


def understood(target: Target, me: str) -> None:
    """The peer knows our incarnation."""
    Target.objects.filter(pk=target.pk).exclude(acknowledged_writer=me).update(acknowledged_writer=me)
    target.acknowledged_writer = me
