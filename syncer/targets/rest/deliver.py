"""Delivery to a REST service: send the requests of claimed bindings, and settle their results."""

import random
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from backoffice.kit import clock
from backoffice.kit.retry import backoff
from syncer.core.decide import (
    Action,
    Changes,
    ClaimedBinding,
    Delivery,
    Terms,
    committed_first,
    delivery_of,
    update_body,
)
from syncer.core.ids import id_text, spellings
from syncer.core.likeness import Candidate, decisive, search
from syncer.core.outcome import Outcome
from syncer.core.settle import End, Rules, changes_after, rejected, taken_id
from syncer.engine.sender import Sender, SendResult
from syncer.engine.settling import Results, Settler, commit
from syncer.models import Binding, Route, Run
from syncer.models.binding import claimed
from syncer.models.routemap import RouteMap
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.exchanges import find, list_records, send_change
from syncer.targets.rest.payload import load
from syncer.targets.rest.proof import beside, disbelieved, own_candidates, unproven


def deliver(
    run: Run, routes: RouteMap, route: Route, bindings: list[ClaimedBinding], sender: Sender, *, probe: bool = False
) -> bool:
    """Bring the records of claimed bindings in line with the live objects, as they are now.

    1. Read the live rows after the claim was committed, so that an edit is either in them or planned again.
    2. Decide each delivery from what the target is known to hold and what we have.
    3. Commit the key and body of each create, and which deliveries are deletes, before any request leaves.
    4. Send, and settle the results in the batches in which they arrive. A lookup whose filtered list does not show the
       record goes on to the whole list: servers filter by texts that they keep in another form, and ignore filters.

    Returns:
        False if all of the bindings still wait for another object; else True. An object that is gone since the claim
        is to be claimed again, as a delete.
    """
    endpoint = Endpoint.of(route)
    settler = RestSettler(run=run, routes=routes, route=route, sender=sender, probe=probe)
    live = load(routes, route, [binding.key for binding in bindings])
    # The claim made parents wait for their children, but an object may have become one to delete since the claim.
    gone = [binding.pk for binding in bindings if binding.key not in live and binding.known.remote_id is not None]
    not_yet = routes.with_children(route, gone)
    deliveries = [
        Delivery(binding=binding, action=Action.WAIT)
        if binding.pk in not_yet
        else delivery_of(binding, live.get(binding.key), endpoint.terms)
        for binding in bindings
    ]
    deliveries = _commit_first(deliveries, endpoint.terms)
    search_for = _Lookups(settler=settler, endpoint=endpoint)
    futures: dict[Future[SendResult], list[tuple[Delivery, SendResult | None]]] = {}
    without_request: list[tuple[Delivery, SendResult]] = []
    for delivery in deliveries:
        future = _send(sender, endpoint, delivery)
        if future is None:
            without_request.append((delivery, SendResult(verdict=None)))
        else:
            futures[future] = [(delivery, None)]
    settler.settle(without_request)
    while futures:
        results = []
        for future in wait(futures, return_when=FIRST_COMPLETED).done:
            for delivery, before in futures.pop(future):
                result = joined(before, future.result())
                if following := search_for.next_step(delivery, result):
                    futures.setdefault(following, []).append((delivery, result))
                else:
                    results.append((delivery, result))
        settler.settle(results)
    is_gone_since = any(not binding.deletes and binding.pk in gone for binding in bindings)
    return is_gone_since or any(delivery.action is not Action.WAIT for delivery in deliveries)


def joined(before: SendResult | None, latest: SendResult) -> SendResult:
    """Return the result of a delivery that took several steps: a create that the target refused remains refused."""
    if before is None:
        return latest
    is_refused = before.verdict and before.verdict.outcome is Outcome.TAKEN
    is_found = latest.verdict and latest.verdict.outcome is Outcome.DONE
    verdict = before.verdict if is_refused and is_found else latest.verdict
    return replace(latest, verdict=verdict, sent=before.sent + latest.sent, steps=before.steps + 1)


@dataclass(kw_only=True)
class _Lookups:
    """The lookups of one batch. The whole list is fetched at most once for all of them: after every one was claimed."""

    settler: "RestSettler"
    endpoint: Endpoint
    listings: dict[str, Future[SendResult]] = field(default_factory=dict)

    def next_step(self, delivery: Delivery, result: SendResult) -> "Future[SendResult] | None":
        """Return the request that has to follow before the delivery can be settled; None where none has to."""
        verdict, sought, sender = result.verdict, delivery.sought, self.settler.sender
        if verdict is None or sought is None or not (sought.lookup or sought.own_id):
            return None
        is_refused = delivery.action is Action.CREATE and verdict.outcome is Outcome.TAKEN
        is_found = delivery.action is Action.LOOKUP and verdict.outcome is Outcome.DONE
        ends = delivery.binding.ends
        if is_refused and result.steps == 1:
            return find(sender, self.endpoint, sought, ends=ends, about=delivery.binding.pk)
        last_step = 2 if is_refused else 1
        if not (is_refused or is_found) or sought.own_id or result.steps > last_step:
            return None
        if decisive(self.settler.candidates(delivery, result)):
            return None
        whole = replace(sought, lookup=())
        if whole.path not in self.listings:
            self.listings[whole.path] = sender.submit(partial(list_records, sender, self.endpoint, whole, ends))
        return self.listings[whole.path]


def _commit_first(deliveries: list[Delivery], terms: Terms) -> list[Delivery]:
    """Store what a later worker has to know of requests that may have left; drop deliveries whose claim was lost.

    A create sends the body as read back from its row: a database may change how a number is written or how names are
    ordered, and a repeat must be the same to the byte.
    """
    now = clock.now()
    writes = {
        delivery.binding.pk: (delivery.binding, changes)
        for delivery in deliveries
        if (changes := committed_first(delivery, terms, now))
    }
    lost = writes.keys() - commit(writes.values())
    kept = [delivery for delivery in deliveries if delivery.binding.pk not in lost]
    creates = [delivery.binding.pk for delivery in kept if delivery.action is Action.CREATE]
    bodies = dict(Binding.objects.filter(pk__in=creates).values_list("pk", "create_body")) if creates else {}
    return [
        replace(delivery, sent=bodies[delivery.binding.pk]) if delivery.binding.pk in bodies else delivery
        for delivery in kept
    ]


def _send(sender: Sender, endpoint: Endpoint, delivery: Delivery) -> Future[SendResult] | None:
    """Start the delivery's request; return None for a delivery that needs no request."""
    known, sent = delivery.binding.known, delivery.sent
    if delivery.action is Action.LOOKUP and delivery.sought:
        return find(sender, endpoint, delivery.sought, ends=delivery.binding.ends, about=delivery.binding.pk)
    if delivery.action in (Action.CREATE, Action.REPLAY) and sent is not None and delivery.key:
        request = endpoint.create(delivery.create_path, sent, delivery.key, delivery.own_id)
        return send_change(sender, delivery, endpoint, lambda _: request)
    if delivery.action is Action.UPDATE and sent is not None and known.remote_id:
        patch = endpoint.method == Route.Update.PATCH
        body = update_body(known, sent, patch=patch, always=endpoint.constants)
        return send_change(sender, delivery, endpoint, partial(endpoint.update, known.remote_id, body))
    if delivery.action is Action.DELETE and known.remote_id:
        return send_change(sender, delivery, endpoint, partial(endpoint.delete, known.remote_id))
    return None


@dataclass(frozen=True, kw_only=True)
class RestSettler(Settler):
    """Settles creates, updates, deletes and look-ups."""

    def settle(self, results: Results) -> None:
        """Settle the results, but believe of no record that it is gone while an empty list hides all others too."""
        super().settle([(delivery, disbelieved(self.route, delivery, result)) for delivery, result in results])

    def changes(self, delivery: Delivery, result: SendResult) -> Changes:
        """Return the columns of the binding that the result changes; a look-up's result names the candidates."""
        if delivery.action is Action.REJECT:
            end = End(action=delivery.action, known=delivery.binding.known)
            return rejected(delivery.binding.claim, end, delivery.fault)
        candidates = self.candidates(delivery, result)
        end = End(
            action=delivery.action,
            known=delivery.binding.known,
            sent=delivery.sent,
            verdict=result.verdict,
            candidates=candidates,
            unproven="" if candidates else unproven(self.route, delivery, result),
        )
        rules = Rules(
            can_look_up=bool(self.route.lookup or self.route.own_id),
            recreate=self.route.missing == Route.Missing.RECREATE,
            overwrite=self.route.existing == Route.Existing.OVERWRITE,
            is_answering=not self.probe and self.routes.target.opened_at is None,
            request_seconds=self.sender.client.request_seconds,
        )
        now, jitter = clock.now(), random.random()  # noqa: S311 - no secret
        changes = changes_after(delivery.binding.claim, end, rules, now=now, jitter=jitter)
        if delivery.action in (Action.CREATE, Action.UPDATE) and changes.get("agreed") is not None:
            changes["parent_id"] = delivery.parent
        return changes

    def candidates(self, delivery: Delivery, result: SendResult) -> Sequence[Candidate]:
        """Return the listed records that may be the wanted one; a bound record belongs to another object."""
        sought, answers = delivery.sought, Endpoint.of(self.route).answers
        if sought is None or not result.records:
            return ()
        if sought.own_id:
            return own_candidates(result.records[0], sought, answers)
        found = search(result.records, sought, answers)
        ids = [spelling for candidate in found for spelling in spellings(candidate.remote_id)]
        bound = beside(self.route).filter(remote_id__in=ids).values_list("remote_id", flat=True)
        taken = {id_text(str(remote_id)) for remote_id in bound}
        return [candidate for candidate in found if id_text(candidate.remote_id) not in taken]

    def write(self, delivery: Delivery, changes: Changes) -> bool:
        """Write the changes as any settler does, but refuse a remote id that another object's binding has already."""
        if changes.get("remote_id") is None:
            return super().write(delivery, changes)
        self._free_reused_id(changes["remote_id"])
        try:
            with transaction.atomic():
                self._refuse_taken(delivery, changes["remote_id"])
                return super().write(delivery, changes)
        except IntegrityError:
            taken = taken_id(delivery.binding.claim, delivery.action, changes["remote_id"])
            if delivery.action in (Action.LOOKUP, Action.UPDATE):
                taken["not_before"] = clock.now() + timedelta(seconds=backoff(taken["tries"], 1.0))
            self._distrust(changes["remote_id"], but=delivery.binding.pk)
            return super().write(delivery, taken | {"lease_until": None})

    def _refuse_taken(self, delivery: Delivery, remote_id: str) -> None:
        """Refuse an id that an object of another route to the same path has.

        Raises:
            IntegrityError: one has it. Of the same route, the database refuses it.
        """
        shared = any(other.path == self.route.path and other != self.route for other in self.routes.ordered)
        others = beside(self.route).exclude(route=self.route)
        if shared and others.filter(remote_id__in=spellings(remote_id)).exists():
            raise IntegrityError(f"the record {remote_id} is that of {delivery.binding.key}'s neighbour")

    def _distrust(self, remote_id: str, *, but: int) -> None:
        """Have the record with this id compared again: a create that was answered with it may have overwritten it."""
        owners = beside(self.route).filter(remote_id__in=spellings(remote_id), on_hold=False).exclude(pk=but)
        unlocked = owners.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
        Binding.objects.filter(pk__in=list(unlocked)).update(wanted=F("wanted") + 1, unconfirmed=True)

    def _free_reused_id(self, remote_id: str) -> None:
        """Take the id from a record whose delete was not answered: a new record has it, so the delete did arrive.

        Some servers give the highest id + 1. The delete, sent again, would destroy the new record.
        """
        lost = Q(deleting=True, unconfirmed=True) & ~claimed(clock.now())
        deleting = Binding.objects.filter(lost, route=self.route, remote_id__in=spellings(remote_id))
        deleting.update(
            remote_id=None, agreed=None, parent=None, unconfirmed=False, deleting=False, token=F("token") + 1
        )
