"""What a list proves of a record that it does not show, by what else is known of the target's records.

Constraints:
- A search index, a replica or a cache can be older than the create in question, and a list can show a part of the
  records only: those that are published, or those of the present user.
- An address can be that of an empty copy.

The design: records that the target is known to have are the witnesses. A list that lacks them proves nothing.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from backoffice.kit.phrases import phrase
from syncer.core.answers import MISSING, Answers, at
from syncer.core.decide import Action, Delivery, Sought
from syncer.core.ids import id_text
from syncer.core.likeness import Candidate, search
from syncer.core.outcome import Outcome
from syncer.engine.sender import SendResult
from syncer.models import Binding, Route
from syncer.targets.rest.endpoint import Endpoint

WITNESSES = 20  # records
CACHED = phrase("has a list that was made before the create was sent")
WITHOUT_ID = phrase("lists a record without an id that may be the one")


def beside(route: Route) -> "QuerySet[Binding]":
    """Return the bindings whose records are in the same collection as those of the route, its own among them."""
    return Binding.objects.filter(route__target=route.target_id, route__path=route.path)


def own_candidates(record: object, sought: Sought, answers: Answers) -> list[Candidate]:
    """Return the record under our own id as a candidate: equal if it shows what was sent, else a person decides."""
    remote_id = str(sought.own_id)
    if not isinstance(record, Mapping):
        return [Candidate(remote_id=remote_id, is_equal=False)]
    shown = tuple(name for name in sought.body if at(record, name) is not MISSING)
    by = replace(sought, lookup=shown or sought.lookup)
    found = search([{**record, answers.id: 1}], by, answers)
    if not found:
        return [Candidate(remote_id=remote_id, is_equal=False, shown={name: at(record, name) for name in shown})]
    return [replace(found[0], remote_id=remote_id)]


def unproven(route: Route, delivery: Delivery, result: SendResult) -> str:
    """Return why a list without a candidate does not prove that there is no such record; empty where it does."""
    sought, known = delivery.sought, delivery.binding.known
    is_found = result.verdict is not None and result.verdict.outcome is Outcome.DONE
    if delivery.action is not Action.LOOKUP or not is_found or sought is None or sought.own_id:
        return ""
    answers = Endpoint.of(route).answers
    if known.create_at is not None and _age(result) > _seconds_since(known.create_at, result):
        return CACHED
    nameless = [{**one, answers.id: "1"} for one in result.records if answers.id_of(one) is None]
    if "." not in answers.id and search(nameless, sought, answers):
        return WITHOUT_ID
    listed = {id_text(str(answers.id_of(record))) for record in result.records}
    at_rest = _at_rest(route, delivery.binding.pk)
    if known.create_at is not None:
        since = at_rest.filter(settled_at__gt=known.create_at).order_by("-settled_at")
        for remote_id in since.values_list("remote_id", flat=True)[:WITNESSES]:
            if id_text(str(remote_id)) not in listed:
                return phrase(
                    "has a list that lacks records which it has accepted since, such as %(id)s", id=str(remote_id)
                )
    others = [str(one) for one in at_rest.order_by("-settled_at").values_list("remote_id", flat=True)[:WITNESSES]]
    if others and not any(id_text(remote_id) in listed for remote_id in others):
        return phrase("has a list that shows none of the records which it has accepted, such as %(id)s", id=others[0])
    return ""


def disbelieved(route: Route, delivery: Delivery, result: SendResult) -> SendResult:
    """Return the result of a delivery whose record seems to be gone, disputed where everything seems to be gone."""
    verdict = result.verdict
    if verdict is None or not verdict.is_list_empty or not _at_rest(route, delivery.binding.pk).exists():
        return result
    why = phrase("%(why)s; but its list shows none of our records at all, so this is not believed", why=verdict.why)
    return replace(result, verdict=replace(verdict, outcome=Outcome.RETRYABLE, why=why, is_disputed=True))


def _at_rest(route: Route, but: int) -> "QuerySet[Binding]":
    """Return the bindings whose records the target is known to have, and that nothing is under way for."""
    settled = Binding.objects.filter(route=route, remote_id__isnull=False, unconfirmed=False, rejected=None)
    return settled.filter(wanted=F("delivered"), in_doubt=False).exclude(pk=but)


def _age(result: SendResult) -> float:
    """Return the seconds for which the oldest answer was kept in a cache (RFC 9111, section 5.1)."""
    ages = [0.0]
    for sent in result.sent:
        with suppress(ValueError):
            ages.append(float(sent.exchange.headers.get("age", "0")))
    return max(ages)


def _seconds_since(when: datetime, result: SendResult) -> float:
    return (result.sent[-1].at - when) / timedelta(seconds=1)
