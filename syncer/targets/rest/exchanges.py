"""The flows of deliveries: the request, and what is asked where its answer proves nothing.

    send_change    a create, update or delete; 404, 403 and 405 are believed only with evidence
    find           the list filtered by the lookup, or the record under our own id
    list_records   a whole list, page by page

No database is used here, and nothing waits: a `Sender` drives the flows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone

from backoffice.kit.http import Request
from backoffice.kit.phrases import mapped, phrase
from syncer.core.answers import UnreadableError, at
from syncer.core.decide import Action, Delivery, Sought
from syncer.core.ids import id_text
from syncer.core.likeness import decisive, search
from syncer.core.outcome import Exchange, Outcome, Verdict, classify
from syncer.engine.sender import Flow, Sender, SendResult, Sent
from syncer.targets.rest.endpoint import Endpoint, ListError, Page
from syncer.targets.rest.evidence import (
    UNPROVEN,
    asked,
    evidence_of,
    is_refused,
    look_before,
    moved_to,
    prevented,
    read_page,
    record_in,
    shape_of,
)

PAGES_MOST = 10_000  # of one list; a longer one is not read to its end
# Nothing was changed, but a retry without a pause would end in the same way.
CUT_OFF = Verdict(outcome=Outcome.RETRYABLE, why=phrase("has a list that could not be read to its end in time"))
OUR_SECRET = Verdict(outcome=Outcome.UNKNOWN, why=phrase("answered a create with our own secret as the record's id"))
BEYOND = (400, 404, 410, 416, 422)  # answers to a page behind the last one
CHANGED_THERE = phrase("has changed the record since we last wrote it; look at it, then give its id again to send ours")


def send_change(
    sender: Sender, delivery: Delivery, endpoint: Endpoint, request: Callable[[str], Request]
) -> Flow[SendResult]:
    """Send one create, update or delete, unless the lease would end too soon.

    The function has over 40 lines because it is one exchange after the other, each of which depends on those before.

    Args:
        request: makes the request with an ETag; an empty one asks for no condition.
    """
    ends, known, action = delivery.binding.ends, delivery.binding.known, delivery.action
    sent: list[Sent] = []
    if (seen := (yield from look_before(sender, delivery, endpoint))) is not None:
        sent.append(asked(seen))
        if verdict := prevented(delivery, endpoint, seen.exchange):
            return SendResult(verdict=verdict, sent=tuple(sent))
    etag = known.etag if endpoint.if_match else ""
    needs_etag = endpoint.if_match and known.remote_id is not None and not etag
    for _ in range(2):  # the second time with the ETag of a record that only others' fields were changed of
        if needs_etag and known.remote_id:
            seen = yield from sender.exchange(endpoint.get(known.remote_id), ends)
            if seen is None:
                break
            sent.append(asked(seen))
            if not _is_as_agreed(delivery, endpoint, seen.exchange):
                return SendResult(verdict=Verdict(outcome=Outcome.PERMANENT, why=CHANGED_THERE), sent=tuple(sent))
            etag = seen.exchange.headers.get("etag", "")
        change = request("" if etag.startswith("W/") else etag)
        # Behind a server that closes kept connections, a change that follows another request would never arrive.
        latest = yield from sender.exchange(
            replace(change, fresh=change.fresh or delivery.binding.claim.tries > 0), ends
        )
        if latest is None:
            break
        sent.append(latest)
        needs_etag = bool(etag and latest.exchange.status == 412)
        if not needs_etag:
            break
    if not sent or sent[-1].request.method == "GET":
        return SendResult(verdict=None, sent=tuple(sent))
    verdict = classify(action, sent[-1].exchange, now=timezone.now(), answers=endpoint.answers, place=endpoint.place)
    if verdict.outcome is Outcome.MADE and delivery.own_id:
        verdict = Verdict(outcome=Outcome.DONE, etag=verdict.etag, remote_id=delivery.own_id)
    if verdict.remote_id and sender.is_secret(id_text(verdict.remote_id)):
        verdict = OUR_SECRET
    if action is Action.UPDATE and verdict.outcome is Outcome.DONE:
        verdict = replace(verdict, remote_id=moved_to(sender, delivery, endpoint, sent[-1].exchange))
    shape = shape_of(endpoint, sent[-1].exchange) if verdict.outcome in (Outcome.DONE, Outcome.MADE) else None
    verdict = replace(verdict, is_unproven=verdict.is_unproven or not (shape is None or sender.is_plausible(shape)))
    if verdict.is_unproven:
        verdict, evidence = yield from evidence_of(sender, delivery, endpoint, verdict)
        sent += evidence
        if shape is not None and verdict.outcome in (Outcome.DONE, Outcome.MADE):
            sender.confirm(shape)
    return SendResult(verdict=verdict, sent=tuple(sent))


def _is_as_agreed(delivery: Delivery, endpoint: Endpoint, exchange: Exchange) -> bool:
    """Return whether a record shows what we last wrote, as far as is known, or what we are about to write."""
    known = delivery.binding.known
    try:
        record = at(exchange.answer, endpoint.answers.record)
    except UnreadableError:
        return True
    if exchange.status != 200 or known.agreed is None or known.unconfirmed or not isinstance(record, Mapping):
        return True  # an earlier request of ours, whose answer is not known, may have changed it
    record = {**record, endpoint.answers.id: "1"} if endpoint.answers.id_of(record) is None else record
    bodies = [body for body in (known.agreed, delivery.sent) if body]
    return any(
        decisive(search([record], Sought(body=body, lookup=tuple(body)), endpoint.answers)) is not None
        for body in bodies
    )


def find(sender: Sender, endpoint: Endpoint, sought: Sought, ends: float) -> Flow[SendResult]:
    """List the records that equal what is sought in the fields of its lookup, or get the one under our own id."""
    return (_find_own if sought.own_id else _find_by_lookup)(sender, endpoint, sought, ends)


def _find_by_lookup(sender: Sender, endpoint: Endpoint, sought: Sought, ends: float) -> Flow[SendResult]:
    """List the records that fit the lookup; all of them where the target refuses to filter its list by it."""
    filtered = yield from list_records(sender, endpoint, sought, ends)
    if not (sought.lookup and filtered.sent and _refuses_filter(endpoint, filtered.sent[-1].exchange)):
        return filtered
    whole = yield from list_records(sender, endpoint, replace(sought, lookup=()), ends)
    verdict = filtered.verdict if whole.verdict is None else whole.verdict
    return replace(whole, verdict=verdict, sent=filtered.sent + whole.sent)


def _find_own(sender: Sender, endpoint: Endpoint, sought: Sought, ends: float) -> Flow[SendResult]:
    """Get the record under our own id; its absence counts only while the list of the same path can be read."""
    latest = yield from sender.exchange(endpoint.get(str(sought.own_id)), ends)
    if latest is None:
        return SendResult(verdict=None)
    if latest.exchange.status not in (404, 410) and not is_refused(endpoint, latest.exchange):
        verdict = classify(Action.LOOKUP, latest.exchange, now=timezone.now())
        record = at(latest.exchange.answer, endpoint.answers.record) if verdict.outcome is Outcome.DONE else {}
        return SendResult(verdict=verdict, sent=(latest,), records=(record,))
    evidence = yield from sender.exchange(endpoint.list_page(), ends)
    if evidence is None:
        return SendResult(verdict=UNPROVEN, sent=(latest,))
    listing, _ = read_page(sender, endpoint, evidence.exchange)
    return SendResult(verdict=listing, sent=(latest, evidence))


def get_record(sender: Sender, endpoint: Endpoint, remote_id: str) -> Flow[SendResult]:
    """Get one record; none where its path does not answer with one, which shows nothing of the target."""
    latest = yield from sender.exchange(endpoint.get(remote_id), float("inf"))
    record = None if latest is None else record_in(endpoint, latest.exchange)
    return SendResult(verdict=None, records=() if record is None else (record,))


def _refuses_filter(endpoint: Endpoint, exchange: Exchange) -> bool:
    """Return whether an answer to a filtered list may be about the filter; 404 is how some APIs say "none found".

    A firewall may dislike a text in the address, and a server its length.
    """
    verdict = classify(Action.LOOKUP, exchange, now=timezone.now())
    is_refusal = verdict.outcome in (Outcome.PERMANENT, Outcome.FORBIDDEN) or exchange.status in (404, 410)
    return is_refusal or is_refused(endpoint, exchange)


def list_records(
    sender: Sender,
    endpoint: Endpoint,
    sought: Sought | None = None,
    ends: float = float("inf"),
    *,
    is_import: bool = False,
) -> Flow[SendResult]:
    """Fetch the target's list, page by page, until its end, a failure, or the end of the lease.

    The function has over 40 lines because what each page proves depends on what all the pages before have said.

    Args:
        sought: list only the records that equal this one in the fields of its lookup, if it has any.
        ends: when the lease ends, in monotonic seconds.
        is_import: the records are to be stored here, so that none may hold a secret of ours.

    Returns:
        The verdict, None if nothing was sent; with the exchanges and, if the list is complete, its records.
    """
    sent: list[Sent] = []
    records: list[Any] = []
    seen: set[str] = set()
    page: Page | None = None
    total: int | None = None
    known: set[str | None] = set()
    is_counted_out, longest = False, 0  # as many came as there are; the records of the longest page
    try:
        while True:
            latest = yield from sender.exchange(endpoint.list_page(page, sought), ends)
            if latest is None:
                return SendResult(verdict=CUT_OFF if sent else None, sent=tuple(sent))
            exchange = latest.exchange
            verdict, found = read_page(sender, endpoint, exchange)
            if is_counted_out and exchange.status in BEYOND:  # the total is right
                sent.append(replace(latest, outcome=Outcome.DONE))
                verdict = Verdict(outcome=Outcome.DONE)
                break
            sent.append(replace(latest, outcome=verdict.outcome))
            if verdict.outcome is not Outcome.DONE:
                return SendResult(verdict=verdict, sent=tuple(sent))
            _refuse_secrets(sender, endpoint, found, exchange, is_import=is_import)
            answer = exchange.answer
            total = endpoint.announced(exchange, answer) if total is None else total
            ids = {endpoint.answers.id_of(record) for record in found}
            if is_counted_out and ids <= known:  # the last page once more
                break
            known |= ids
            records += found
            is_counted_out = total is not None and len(records) >= total and endpoint.is_counted
            # A total can be older than the list, or stop at 10,000: only a page behind it shows that it is right.
            if is_counted_out and (len(found) < longest or (sought and sought.lookup)):
                break
            longest = max(longest, len(found))
            page = endpoint.following(exchange, answer, number=len(sent), count=len(records), is_empty=not found)
            if page is None:
                break
            key = f"{page.url} {page.query}" if not endpoint.is_counted else str(hash(repr(found)))
            if key in seen:
                raise ListError(phrase("lists its pages in a circle"))
            if len(sent) >= PAGES_MOST:
                raise ListError(phrase("has a list of more than %(most)s pages", most=PAGES_MOST))
            seen.add(key)
        if not (sought and sought.lookup):  # a filtered list proves nothing, whatever its total
            _refuse_incomplete(records, total, endpoint, pages=len(sent))
    except ListError as error:
        verdict = Verdict(outcome=error.outcome, why=mapped(error.why, sender.mask.hide))
        sent[-1] = replace(sent[-1], outcome=verdict.outcome)
        return SendResult(verdict=verdict, sent=tuple(sent))
    return SendResult(verdict=verdict, sent=tuple(sent), records=tuple(records))


def _refuse_incomplete(records: Sequence[Any], total: int | None, endpoint: Endpoint, *, pages: int) -> None:
    """Refuse a list that is shorter than it says.

    Raises:
        ListError: there are more records than came.
    """
    ids = [endpoint.answers.id_of(record) for record in records]
    count = len({*ids} - {None}) + ids.count(None)
    if total is None or count >= total:
        return
    if pages > 1:  # records may have been deleted, or have moved to another page, meanwhile
        why = phrase(
            "listed %(count)s of %(total)s records; the list may have changed meanwhile", count=count, total=total
        )
        raise ListError(why, Outcome.RETRYABLE)
    why = phrase(
        "lists %(count)s of %(total)s records, and names no next page: the route must say how lists are paged",
        count=count,
        total=total,
    )
    raise ListError(why, Outcome.CONFIGURATION)


def _refuse_secrets(
    sender: Sender, endpoint: Endpoint, page: Sequence[Any], exchange: Exchange, *, is_import: bool
) -> None:
    """Keep our secrets out of the database: out of ids, and in an import out of whole records.

    Raises:
        ListError: the answer holds a secret of ours.
    """
    if is_import and sender.returned_secret(exchange):
        raise ListError(phrase("sent our own secret back in a list"))
    if any(sender.is_secret(at(record, endpoint.answers.id)) for record in page):
        raise ListError(phrase("listed a record with our own secret as its id"))
