"""Adoption: before a route sends anything, match our objects with the records that the target has already.

Constraints:
- An equal record is bound, and nothing is sent; a record that differs waits for a person, unless the route overwrites.
- Only a complete list shows what is not there. Until one was read, the route creates nothing.
- A record belongs to one object, and a bound object keeps its record.
- Parents come first: a child is recognized by the remote id of its parent, too.
- An object that can't be sent as it is can't be compared either: it is looked up once it was edited.

The design: one pass for each route, whose `adopted_at` is then set. The list is read once and indexed by what is left
of the lookup's values without their spelling; `core/likeness.py` then compares as it does for a lookup.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from backoffice.kit import clock
from backoffice.kit.batches import batched
from backoffice.kit.phrases import message_of, phrase
from backoffice.kit.retry import backoff
from syncer.core.answers import MISSING, at
from syncer.core.decide import Sought, Wanted
from syncer.core.ids import id_text
from syncer.core.likeness import Candidate, bucket, decisive, is_equal, search
from syncer.core.outcome import Outcome, Verdict
from syncer.core.settle import SUCCESS, doubt_about
from syncer.engine import breaker
from syncer.engine.sender import Sender
from syncer.models import Binding, Route, Run
from syncer.models.binding import DUE, UNBLOCKED
from syncer.models.keys import key_of, pks
from syncer.models.routemap import RouteMap
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.exchanges import get_record, list_records
from syncer.targets.rest.payload import load
from syncer.targets.rest.proof import beside

BATCH = 500  # objects
NO_RECORD = Q(remote_id=None, create_body__isnull=True, look_first=False)  # as far as is known
COLUMNS = (
    *("remote_id", "last_remote_id", "agreed", "delivered", "parent_id", "settled_at", "token"),
    *("in_doubt", "candidates", *SUCCESS),
)


@dataclass(frozen=True, kw_only=True)
class Match:
    """What the target has of one object.

    Attributes:
        candidates: the records that may be the object's; none: the target has no such record.
        chosen: the one that is.
        is_equal: the chosen record equals the object, so that nothing is to be sent.
    """

    key: str
    wanted: Wanted
    candidates: Sequence[Candidate] = ()
    chosen: Candidate | None = None
    is_equal: bool = False


def adopts(route: Route) -> bool:
    """Return whether the route has yet to look at what the target has."""
    return route.adopted_at is None and route.existing != Route.Existing.CREATE and route.can_look_up


def adopt_all(run: Run, routes: RouteMap, sender: Sender, *, probe: bool = False) -> bool:
    """Adopt what the target has already, for each route that has not done so; return whether all of them are ready."""
    return all(_adopt(run, routes, route, sender, probe=probe) for route in routes.parents_first if adopts(route))


def _adopt(run: Run, routes: RouteMap, route: Route, sender: Sender, *, probe: bool) -> bool:
    """Read the route's list and settle its objects by it; return whether the route is ready to send."""
    pending = unbound(route)
    if not pending.exists():
        return True
    listing = sender.run(list_records(sender, Endpoint.of(route)))
    if listing.verdict is None:
        return False
    verdict = listing.verdict
    if verdict.outcome is Outcome.DONE:
        try:
            index = Index.of(route, listing.records)
        except NotShownError as error:
            verdict = Verdict(outcome=Outcome.CONFIGURATION, why=message_of(error))
    if verdict.outcome is not Outcome.DONE:
        _note_failure(run, verdict, pending, sender, probe=probe)
        return False
    keys = pending.order_by("object_key").values_list("object_key", flat=True)
    for batch in batched(list(keys), BATCH):
        objects = load(routes, route, batch)
        found = [index.match(key, wanted) for key, wanted in objects.items() if not (wanted.waits or wanted.fault)]
        _settle(route, with_whole_records(sender, route, found))
        faulty = [key for key, wanted in objects.items() if wanted.fault]
        unbound(route).filter(object_key__in=faulty).update(look_first=True)
    _look_first_below(routes, route)
    route.adopted_at = clock.now()
    route.save(update_fields=["adopted_at"])
    return True


def _look_first_below(routes: RouteMap, route: Route) -> None:
    """Have children looked up once their parent's record is known, where it is left to a person or a look-up."""
    model = route.declaration.model
    for link in routes.links_up(route):
        if link.parent is None or link.parent == route:
            continue
        uncertain = Binding.objects.filter(Q(in_doubt=True) | Q(look_first=True), route=link.parent)
        for batch in batched(list(uncertain.values_list("object_key", flat=True)), BATCH):
            parents = pks(link.parent.declaration.model, batch)
            children = model._default_manager.filter(**{f"{link.field}__in": parents}).values_list("pk", flat=True)
            unbound(route).filter(object_key__in=[key_of(model, pk) for pk in children]).update(look_first=True)


def _note_failure(run: Run, verdict: Verdict, pending: "QuerySet[Binding]", sender: Sender, *, probe: bool) -> None:
    """Record that the list could not be read: one that was not answered is asked for again, another needs a person."""
    passing = (Outcome.RETRYABLE, Outcome.UNKNOWN)
    outcome = Outcome.RETRYABLE if verdict.outcome in passing else Outcome.CONFIGURATION
    why = phrase(
        "%(why)s; before anything is created, its list must show what it has already (or set existing to create)",
        why=verdict.why,
    )
    later = clock.now() + timedelta(seconds=backoff(run.target.failures + 1, random.random()))  # noqa: S311 - no secret
    with transaction.atomic():
        if outcome is Outcome.RETRYABLE:
            pending.update(reason=why, tries=F("tries") + 1, not_before=later)
        known = Verdict(outcome=outcome, why=why, target_waits=verdict.target_waits, throttled=verdict.throttled)
        breaker.note(run.target, [known], probe=probe, request_seconds=sender.client.request_seconds)


def unbound(route: Route) -> "QuerySet[Binding]":
    """Return the bindings of the route's objects that have no record yet, as far as is known."""
    due = Binding.objects.filter(DUE, UNBLOCKED, route=route, lease_until=None)
    return due.filter(NO_RECORD)


class NotShownError(ValueError):
    """The list shows no field of the lookup. The message is a predicate whose subject is the target."""


@dataclass(kw_only=True)
class Index:
    """The free records of a list, by the values of the lookup or by their ids."""

    route: Route
    endpoint: Endpoint
    names: tuple[str, ...] = ()
    records: dict[tuple[str, ...], list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    taken: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, route: Route, records: Iterable[Mapping[str, Any]]) -> "Index":
        """Index the records of a complete list.

        Raises:
            NotShownError: no field of the lookup is shown by all of them.
        """
        records, endpoint = list(records), Endpoint.of(route)
        bound = beside(route).filter(remote_id__isnull=False).values_list("remote_id", flat=True)
        names = tuple(name for name in route.lookup if all(at(record, name) is not MISSING for record in records))
        if records and not names and not route.own_id:
            names_of_lookup = ", ".join(route.lookup)
            raise NotShownError(phrase("lists records that don't show %(names)s, its lookup", names=names_of_lookup))
        index = cls(route=route, endpoint=endpoint, names=names, taken={id_text(str(one)) for one in bound})
        for record in records:
            index.records[index._key(record, endpoint.answers.id_of(record))].append(record)
        return index

    def _key(self, values: Mapping[str, Any], remote_id: str | None) -> tuple[str, ...]:
        if self.route.own_id:
            return (id_text(str(remote_id)),)
        return tuple(bucket(at(values, name)) for name in self.names)

    def match(self, key: str, wanted: Wanted) -> Match:
        """Return what the target has of an object; a record that is chosen is taken from then on."""
        body, route = wanted.payload, self.route
        listed = self.records.get(self._key(body, wanted.own_id), [])
        sought = self.endpoint.terms.sought(body, None, None)
        if route.own_id:
            sought = Sought(
                body=body, lookup=tuple(name for name in body if any(at(one, name) is not MISSING for one in listed))
            )
        candidates = search(listed, sought, self.endpoint.answers, taken=self.taken)
        if route.own_id and listed and not candidates and id_text(str(wanted.own_id)) not in self.taken:
            candidates = [Candidate(remote_id=str(wanted.own_id), is_equal=False)]
        chosen = decisive(candidates)
        is_equal = chosen is not None
        if chosen is None and route.existing == Route.Existing.OVERWRITE and len(candidates) == 1:
            chosen = candidates[0]
        if chosen is not None:
            self.taken.add(id_text(chosen.remote_id))
        return Match(key=key, wanted=wanted, candidates=candidates, chosen=chosen, is_equal=is_equal)


def with_whole_records(sender: Sender, route: Route, found: Sequence[Match]) -> list[Match]:
    """Get each equal record that the list shows only in part, and compare the whole; without an answer it is equal."""
    endpoint, tasks = Endpoint.of(route), {}
    for match in found:
        if match.chosen and match.is_equal and match.wanted.payload.keys() - match.chosen.shown.keys():
            tasks[match.key] = sender.submit(get_record(sender, endpoint, match.chosen.remote_id))
    overwrites = route.existing == Route.Existing.OVERWRITE
    return [
        _compared(match, sender.finish(tasks[match.key]).records, overwrites=overwrites)
        if match.key in tasks
        else match
        for match in found
    ]


def _compared(match: Match, records: Sequence[Any], *, overwrites: bool) -> Match:
    """Return the match as the whole record shows it; as it is where there is no record."""
    if not records or match.chosen is None:
        return match
    shown = {name: value for name in match.wanted.payload if (value := at(records[0], name)) is not MISSING}
    if all(is_equal(match.wanted.payload[name], value) for name, value in shown.items()):
        return match
    other = replace(match.chosen, is_equal=False, shown=shown)
    return replace(match, candidates=[other], chosen=other if overwrites else None, is_equal=False)


def _settle(route: Route, found: Sequence[Match]) -> None:
    """Bind the objects whose record was found, and leave to a person what is not certain."""
    by_key = {match.key: match for match in found if match.candidates}
    with transaction.atomic():
        rows = unbound(route).filter(object_key__in=by_key).order_by("object_key").select_for_update(of=("self",))
        changed = []
        for row in rows:
            match = by_key[row.object_key]
            row.token += 1
            if match.chosen is None:
                changes = doubt_about(match.candidates)
            else:
                changes = SUCCESS | {"remote_id": match.chosen.remote_id, "last_remote_id": match.chosen.remote_id}
                changes["parent_id"] = match.wanted.parent
                if match.is_equal:
                    now = clock.now()
                    changes |= {"agreed": match.wanted.payload, "delivered": row.wanted, "settled_at": now}
            for column, value in changes.items():
                setattr(row, column, value)
            changed.append(row)
        Binding.objects.bulk_update(changed, COLUMNS, batch_size=BATCH)
