"""What is asked of a target beside a change, so that no more is believed of an answer than it says.

    look_before    the record that a request would destroy if it were another's
    evidence_of   the list of the same path, and the record once more, where an answer alone proves nothing

No database is used here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils import timezone

from backoffice.kit.phrases import mapped, phrase
from syncer.core.answers import MISSING, UnreadableError, at
from syncer.core.decide import Action, Delivery, Sought
from syncer.core.ids import id_text
from syncer.core.likeness import decisive, is_similar, search
from syncer.core.outcome import Exchange, Outcome, Verdict, classify, confirmed
from syncer.engine.sender import Flow, Sender, Sent
from syncer.targets.rest.endpoint import Endpoint, ListError

UNPROVEN = Verdict(outcome=Outcome.RETRYABLE, why=phrase("was not asked for evidence in time"))
ANOTHER = phrase("has another record under this id now; look at it, then say whether ours is still there")


def look_before(sender: Sender, delivery: Delivery, endpoint: Endpoint) -> Flow[Sent | None]:
    """Get the record before a request that would destroy another one under the same id; None where none would.

    A PUT under our own id overwrites what is there where `If-None-Match` is ignored. A delete that is repeated may meet
    a record to which the same id was given since.
    """
    binding, remote_id = delivery.binding, None
    if delivery.action is Action.CREATE:
        remote_id = delivery.own_id
    elif delivery.action is Action.DELETE and binding.known.deleting and binding.claim.was:
        remote_id = binding.known.remote_id
    return (yield from sender.exchange(endpoint.get(remote_id), binding.ends)) if remote_id else None


def prevented(delivery: Delivery, endpoint: Endpoint, exchange: Exchange) -> Verdict | None:
    """Return why a request must not be sent, now that the record under its id was asked for; None where it may."""
    record = record_in(endpoint, exchange)
    if record is None or endpoint.answers.is_deleted(record, or_archived=True):
        return None
    if delivery.action is Action.CREATE:
        return Verdict(outcome=Outcome.TAKEN, why=phrase("has a record under this id already"))
    body = delivery.binding.known.agreed
    lookup = endpoint.terms.lookup or tuple(body or ())
    shown = [name for name in lookup if body and name in body and at(record, name) is not MISSING]
    if body is None or not shown or any(is_similar(body[name], at(record, name)) for name in shown):
        return None
    return Verdict(outcome=Outcome.PERMANENT, why=ANOTHER)


def moved_to(sender: Sender, delivery: Delivery, endpoint: Endpoint, exchange: Exchange) -> str | None:
    """Return the new id of a record that an update has changed, such as a slug; None where it is as before.

    It must be our record: an answer may also name an event or a job.
    """
    record, answers = record_in(endpoint, exchange), endpoint.answers
    remote_id, sent = answers.id_of(record), delivery.sent or {}
    if record is None or remote_id is None or id_text(remote_id) == id_text(str(delivery.binding.known.remote_id)):
        return None
    found = decisive(search([record], Sought(body=sent, lookup=tuple(sent)), answers))
    return None if found is None or sender.is_secret(id_text(remote_id)) else remote_id


def shape_of(endpoint: Endpoint, exchange: Exchange) -> object:
    """Return the shape of an answer that says neither that it is the API's nor that it is not; None of any other.

    That is a page for people, or an object without anything of a record: it may be that of a maintenance.
    """
    body, answers = exchange.body.strip(), endpoint.answers
    if not 200 <= (exchange.status or 0) < 300:
        return None
    try:
        answer = exchange.answer
    except UnreadableError:
        return body if body.startswith(b"<") else None
    if not isinstance(answer, Mapping) or not answer or answers.ok or answers.error:
        return None
    is_record = answers.shows_record(at(answer, answers.record)) or answers.shows_record(answer)
    return None if is_record else tuple(answer)


def evidence_of(
    sender: Sender, delivery: Delivery, endpoint: Endpoint, verdict: Verdict
) -> Flow[tuple[Verdict, list[Sent]]]:
    """Ask for the list, and for a record that seems to be gone once more; return what all of it means."""
    ends, remote_id = delivery.binding.ends, delivery.binding.known.remote_id
    latest = yield from sender.exchange(endpoint.list_page(), ends)
    if latest is None:
        is_known = verdict.outcome in (Outcome.DONE, Outcome.MADE, Outcome.CONFIGURATION)
        return (replace(verdict, is_unproven=False) if is_known else UNPROVEN), []
    listing, page = read_page(sender, endpoint, latest.exchange)
    sent = [replace(latest, outcome=listing.outcome)]
    same = [one for one in page if remote_id and id_text(str(endpoint.answers.id_of(one))) == id_text(remote_id)]
    is_listed = any(not endpoint.answers.is_deleted(record, or_archived=True) for record in same)
    if verdict.outcome in (Outcome.DONE, Outcome.MADE):
        return confirmed(verdict, listing), sent
    if verdict.outcome is Outcome.PERMANENT and remote_id and listing.outcome is not Outcome.DONE:
        return replace(verdict, is_unproven=False), sent
    record = None
    may_be_gone = verdict.outcome in (Outcome.GONE, Outcome.PERMANENT) and not is_listed
    if may_be_gone and listing.outcome is Outcome.DONE and remote_id:
        again = yield from sender.exchange(endpoint.get(remote_id), ends)
        if again is None:
            return UNPROVEN, sent
        sent.append(asked(again))
        record = again.exchange
        shown = record_in(endpoint, record)
        if is_refused(endpoint, record) or (shown and endpoint.answers.is_deleted(shown, or_archived=True)):
            record = replace(record, status=404)
    done = sender.has_succeeded
    judged = confirmed(verdict, listing, record, is_listed=is_listed, has_succeeded=done)
    return replace(judged, is_list_empty=judged.outcome is Outcome.GONE and not page), sent


def record_in(endpoint: Endpoint, exchange: Exchange) -> Mapping[str, Any] | None:
    """Return the record in an answer with status 200; None where there is none."""
    if exchange.status != 200 or is_refused(endpoint, exchange):
        return None
    try:
        record = at(exchange.answer, endpoint.answers.record)
    except UnreadableError:
        return None
    return record if isinstance(record, Mapping) and record else None


def is_refused(endpoint: Endpoint, exchange: Exchange) -> bool:
    """Return whether an answer with status 200 says that it is a refusal."""
    try:
        answer = exchange.answer if exchange.status == 200 else None
    except UnreadableError:
        return False
    return isinstance(answer, dict) and bool(endpoint.answers.refusal(answer))


def asked(sent: Sent) -> Sent:
    """Return a GET of a record with what its own answer means."""
    gone = sent.exchange.status in (404, 410)
    verdict = classify(Action.LOOKUP, sent.exchange, now=timezone.now())
    return replace(sent, outcome=Outcome.GONE if gone else verdict.outcome)


def read_page(sender: Sender, endpoint: Endpoint, exchange: Exchange) -> tuple[Verdict, list[Any]]:
    """Return the verdict on one page of a list, and its records; an answer without content is an empty list."""
    if exchange.status == 204:
        return Verdict(outcome=Outcome.DONE), []
    verdict = classify(Action.LOOKUP, exchange, now=timezone.now())
    is_2xx = 200 <= (exchange.status or 0) < 300
    if verdict.outcome is not Outcome.DONE:
        return replace(verdict, is_strange=is_2xx and bool(exchange.body.strip())), []
    try:
        return verdict, endpoint.records(exchange.answer)
    except ListError as error:
        is_strange = error.outcome is Outcome.RETRYABLE
        return Verdict(outcome=error.outcome, why=mapped(error.why, sender.mask.hide), is_strange=is_strange), []
