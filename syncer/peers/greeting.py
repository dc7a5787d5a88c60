"""Saying who we are to a peer that does not know our incarnation, even with nothing else to send."""

import time

from django.db import transaction

from syncer import breaker
from syncer.core.answers import Outcome, Verdict
from syncer.delivery.send import Sender
from syncer.models import Target
from syncer.peers import identity, wire
from syncer.peers.contact import heard


def greet(target: Target, sender: Sender, *, probe: bool = False) -> bool:
    """See to it that the peer knows our incarnation; whether it does now. Asks nothing where it did already."""
    me = identity.writer()
    target.refresh_from_db(fields=["told_writer"])
    if target.told_writer == me:
        return True
    ends = time.monotonic() + sender.lease_seconds
    result = sender.hand_over(wire.hello(target, me), ends=ends).result()
    if result.verdict is None:
        return False
    verdict = look_at(target, result.verdict)
    with transaction.atomic():
        breaker.note(target, [verdict], probe=probe, request_seconds=sender.client.request_seconds)
    if verdict.outcome is Outcome.DONE:
        understood(target, me)
    return verdict.outcome is Outcome.DONE


def look_at(target: Target, verdict: Verdict) -> Verdict:
    """The verdict, if the peer that the target is for gave the answer, in its newest incarnation; else why not."""
    if verdict.outcome is not Outcome.DONE:
        return verdict
    try:
        answer = wire.read_answer(target, verdict.record)
    except wire.BadAnswer as error:
        return Verdict(outcome=Outcome.UNKNOWN, why=str(error))
    if answer.node != target.peer_node:
        why = f"says that it is {answer.node[:64]!r}, but this target is for {target.peer_node!r}"
        return Verdict(outcome=Outcome.CONFIGURATION, why=why)
    if not heard(target, answer.writer):
        return Verdict(outcome=Outcome.RETRYABLE, why="answered as it was before it was restored")
    return verdict


def understood(target: Target, me: str) -> None:
    """The peer knows our incarnation."""
    Target.objects.filter(pk=target.pk).exclude(told_writer=me).update(told_writer=me)
    target.told_writer = me
