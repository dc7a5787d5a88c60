"""Requests to a REST service and the verdicts on its answers. Runs in the sender's threads; uses no database."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from django.utils import timezone

from backoffice.kit.http import Request
from syncer.core.decide import Action, Payload
from syncer.core.outcome import Exchange, Outcome, UnreadableError, Verdict, classify, read_json
from syncer.engine.sender import Sender, SendResult, Sent
from syncer.targets.rest.endpoint import Endpoint, ListError

# Nothing was changed, but a retry without a pause would end in the same way.
CUT_OFF = Verdict(outcome=Outcome.RETRYABLE, why="has a list that could not be read to its end in time")
CIRCLE = Verdict(outcome=Outcome.PERMANENT, why="lists its pages in a circle")
OUR_SECRET = Verdict(outcome=Outcome.UNKNOWN, why="answered a create with our own secret as the record's id")


def send_change(
    sender: Sender, action: Action, endpoint: Endpoint, request: Request, *, ends: float
) -> "Future[SendResult]":
    """Send one create, update or delete, unless the lease (monotonic seconds) would end too soon."""

    def work() -> SendResult:
        sent = sender.exchange(request, ends)
        if sent is None:
            return SendResult(verdict=None)
        verdict = classify(action, sent.exchange, now=timezone.now(), id_field=endpoint.id_field)
        if sender.is_secret(verdict.record.get(endpoint.id_field)):
            verdict = OUR_SECRET
        return SendResult(verdict=verdict, sent=(sent,))

    return sender.submit(work)


def look_up(sender: Sender, endpoint: Endpoint, like: Payload, *, ends: float) -> "Future[SendResult]":
    """List the records that equal `like` in the fields of the route's lookup."""
    return sender.submit(lambda: list_records(sender, endpoint, like, ends))


def list_records(
    sender: Sender, endpoint: Endpoint, like: Payload | None = None, ends: float = float("inf")
) -> SendResult:
    """Fetch the target's list, page by page, until its end, a failure, or the end of the lease.

    Args:
        like: list only the records that equal this payload in the fields of the route's lookup.
        ends: when the lease ends, in monotonic seconds.

    Returns:
        The verdict on the last answer, None if nothing was sent; with the exchanges, and on success the records.
    """
    sent: list[Sent] = []
    records: list[Any] = []
    cursor = None
    seen: set[str] = set()
    while True:
        try:
            latest = sender.exchange(endpoint.page(cursor, like), ends)
            if latest is None:
                return SendResult(verdict=CUT_OFF if sent else None, sent=tuple(sent))
            sent.append(latest)
            verdict = classify(Action.LOOKUP, latest.exchange, now=timezone.now())
            if verdict.outcome is not Outcome.DONE:
                return SendResult(verdict=verdict, sent=tuple(sent))
            page, following = endpoint.records(read_json(latest.exchange.body))
            _refuse_secrets(sender, endpoint, page, latest.exchange, is_import=like is None)
        except (ListError, UnreadableError) as error:
            verdict = Verdict(outcome=Outcome.PERMANENT, why=sender.mask.hide(str(error)))
            return SendResult(verdict=verdict, sent=tuple(sent))
        records += page
        if not following:
            return SendResult(verdict=verdict, sent=tuple(sent), records=tuple(records))
        if following in seen:
            return SendResult(verdict=CIRCLE, sent=tuple(sent))
        seen.add(following)
        cursor = following


def _refuse_secrets(
    sender: Sender, endpoint: Endpoint, page: Sequence[Any], exchange: Exchange, *, is_import: bool
) -> None:
    """Keep our secrets out of the database: out of ids, and in an import out of whole records.

    Raises:
        ListError: the answer holds a secret of ours.
    """
    if is_import and sender.returned_secret(exchange):
        raise ListError("sent our own secret back in a list")
    if any(sender.is_secret(record.get(endpoint.id_field)) for record in page if isinstance(record, dict)):
        raise ListError("listed a record with our own secret as its id")
