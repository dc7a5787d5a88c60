"""The handshake: making our incarnation known to a peer, even with nothing else to send."""

import time

from django.db import transaction

from backoffice.kit.phrases import message_of, phrase
from syncer.core.outcome import Outcome, Verdict
from syncer.engine import breaker
from syncer.engine.sender import Sender
from syncer.models import Target
from syncer.targets.peer import client, identity
from syncer.targets.peer.contact import record_contact

NODE_SHOWN = 64  # characters
OLD = Verdict(outcome=Outcome.RETRYABLE, why=phrase("answered as it was before it was restored"))


def introduce(target: Target, sender: Sender, *, probe: bool = False) -> bool:
    """Send our incarnation to the peer.

    Returns:
        Whether the peer answered, and so knows our incarnation now.
    """
    me = identity.writer()
    ends = time.monotonic() + sender.lease_seconds
    result = sender.finish(client.send(sender, client.handshake_request(target, me), ends=ends))
    if result.verdict is None:
        return False
    verdict, answer = check_answer(target, result.verdict)
    with transaction.atomic():
        is_over = breaker.note(target, [verdict], probe=probe, request_seconds=sender.client.request_seconds)
    if is_over:
        sender.stop()
    if answer is not None:
        record_acknowledged(target, me)
    return answer is not None


def check_answer(target: Target, verdict: Verdict) -> tuple[Verdict, client.Answer | None]:
    """Parse the answer, and check that it came from the target's peer in its newest incarnation.

    Returns:
        The verdict on the request as a whole, and the answer; None in place of an answer that is not usable, with a
        verdict that says why. What the answer means for single objects is not judged here.
    """
    if verdict.outcome is not Outcome.DONE:
        return verdict, None
    try:
        answer = client.read_answer(verdict.record)
    except client.AnswerError as error:
        return Verdict(outcome=Outcome.UNKNOWN, why=message_of(error)), None
    if answer.node != target.peer_node:
        why = phrase(
            "says that it is '%(node)s', but this target is for '%(peer)s'",
            node=answer.node[:NODE_SHOWN],
            peer=target.peer_node,
        )
        return Verdict(outcome=Outcome.CONFIGURATION, why=why), None
    if not record_contact(target, answer.writer):
        return OLD, None
    return verdict, answer


def record_acknowledged(target: Target, me: str) -> None:
    """Record that the peer knows our incarnation `me`."""
    Target.objects.filter(pk=target.pk).exclude(acknowledged_writer=me).update(acknowledged_writer=me)
    target.acknowledged_writer = me
