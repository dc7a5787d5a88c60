"""What a REST service is asked, and what its answers mean. Runs in the sender's threads, and touches no database."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from django.utils import timezone

from backoffice.kit.http import Request
from syncer.core.decide import Action, Payload
from syncer.core.outcome import Exchange, Outcome, UnreadableError, Verdict, classify, read_json
from syncer.engine.sender import Sender, SendResult, Sent
from syncer.targets.rest.endpoint import Endpoint, ListError

# Nothing was changed, but to start again at once would end in the same way.
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
    """List the records that are like `like` in the fields of the route's lookup."""
    return sender.submit(lambda: list_records(sender, endpoint, like, ends))


def list_records(
    sender: Sender, endpoint: Endpoint, like: Payload | None = None, ends: float = float("inf")
) -> SendResult:
    """All records that the target lists, page by page; with `like`, by the route's lookup."""
    sent: list[Sent] = []
    records: list[Any] = []
    cursor = None
    seen: set[str] = set()
    while True:
        try:
            one = sender.exchange(endpoint.page(cursor, like), ends)
            if one is None:
                return SendResult(verdict=CUT_OFF if sent else None, sent=tuple(sent))
            sent.append(one)
            verdict = classify(Action.LOOKUP, one.exchange, now=timezone.now())
            if verdict.outcome is not Outcome.DONE:
                return SendResult(verdict=verdict, sent=tuple(sent))
            page, following = endpoint.records(read_json(one.exchange.body))
            _refuse_secrets(sender, endpoint, page, one.exchange, is_import=like is None)
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
    """Keep our secrets out of what is stored: ids, and of an import the records too.

    Raises:
        ListError: the answer holds one.
    """
    if is_import and sender.returned_secret(exchange):
        raise ListError("sent our own secret back in a list")
    if any(sender.is_secret(record.get(endpoint.id_field)) for record in page if isinstance(record, dict)):
        raise ListError("listed a record with our own secret as its id")
