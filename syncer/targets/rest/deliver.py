"""Delivery to a REST service: send the requests of claimed bindings, and settle their results."""

import random
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction

from backoffice.kit import clock
from syncer.core.decide import Action, Changes, ClaimedBinding, Delivery, committed_first, delivery_of, update_body
from syncer.core.outcome import Outcome, candidates
from syncer.core.settle import End, Terms, changes_after, taken_id
from syncer.engine.sender import Sender, SendResult
from syncer.engine.settling import Settler, commit
from syncer.models import Binding, Route, Run
from syncer.models.routemap import RouteMap
from syncer.targets.rest.endpoint import Endpoint, look_up, send_change
from syncer.targets.rest.payload import load


def deliver(
    run: Run, routes: RouteMap, route: Route, bindings: list[ClaimedBinding], sender: Sender, *, probe: bool = False
) -> bool:
    """Bring the records of claimed bindings in line with the live objects, as they are now.

    1. Read the live rows after the claim was committed, so that an edit is either in them or planned again.
    2. Decide each delivery from what the target is known to hold and what we have.
    3. Commit the key and body of each create, and which deliveries are deletes, before any request leaves.
    4. Send, and settle the results in the batches in which they arrive.

    Returns:
        False if all of the bindings still wait for another object; else True.
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
        else delivery_of(binding, live.get(binding.key), lookup=endpoint.lookup, path=endpoint.path)
        for binding in bindings
    ]
    deliveries = _commit_first(deliveries)
    futures: dict[Future[SendResult], Delivery] = {}
    without_request: list[tuple[Delivery, SendResult]] = []
    for delivery in deliveries:
        future = _send(sender, endpoint, delivery)
        if future is None:
            without_request.append((delivery, SendResult(verdict=None)))
        else:
            futures[future] = delivery
    settler.settle(without_request)
    pending = set(futures)
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        settler.settle([(futures[future], future.result()) for future in done])
    return any(delivery.action is not Action.WAIT for delivery in deliveries)


def _commit_first(deliveries: list[Delivery]) -> list[Delivery]:
    """Store what a later worker has to know of requests that may have left; drop deliveries whose claim was lost.

    A create sends the body as read back from its row: a database may change how a number is written or how names are
    ordered, and a repeat must be the same to the byte.
    """
    now = clock.now()
    writes = {
        delivery.binding.pk: (delivery.binding, changes)
        for delivery in deliveries
        if (changes := committed_first(delivery, now))
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
    binding, known = delivery.binding, delivery.binding.known
    if delivery.action is Action.LOOKUP and delivery.like is not None:
        return look_up(sender, endpoint, delivery.like, ends=binding.ends)
    if delivery.action in (Action.CREATE, Action.REPLAY) and delivery.sent is not None and delivery.key:
        request = endpoint.create(delivery.create_path, delivery.sent, delivery.key)
    elif delivery.action is Action.UPDATE and delivery.sent is not None and known.remote_id:
        request = endpoint.update(known.remote_id, update_body(known, delivery.sent, patch=endpoint.patch))
    elif delivery.action is Action.DELETE and known.remote_id:
        request = endpoint.delete(known.remote_id)
    else:
        return None
    return send_change(sender, delivery.action, endpoint, request, ends=binding.ends)


@dataclass(frozen=True, kw_only=True)
class RestSettler(Settler):
    """Settles creates, updates, deletes and look-ups."""

    def changes(self, delivery: Delivery, result: SendResult) -> Changes:
        """Return the columns of the binding that the result changes; a look-up's result names the candidates."""
        verdict, binding, matches = result.verdict, delivery.binding, list[str]()
        if delivery.action is Action.LOOKUP and verdict and verdict.outcome is Outcome.DONE:
            matches = self._candidate_ids(delivery, result)
        end = End(action=delivery.action, known=binding.known, sent=delivery.sent, verdict=verdict, matches=matches)
        terms = Terms(
            id_field=self.route.id_field,
            recreate=self.route.missing == Route.Missing.RECREATE,
            request_seconds=self.sender.client.request_seconds,
        )
        now, jitter = clock.now(), random.random()  # noqa: S311 - no secret
        changes = changes_after(binding.claim, end, terms, now=now, jitter=jitter)
        if delivery.action in (Action.CREATE, Action.UPDATE) and changes.get("agreed") is not None:
            changes["parent_id"] = delivery.parent
        return changes

    def _candidate_ids(self, delivery: Delivery, result: SendResult) -> list[str]:
        """Return the ids of the records that may be the wanted one; a bound record belongs to another object."""
        body, id_field = delivery.like or {}, self.route.id_field
        ids = candidates(result.records, body, id_field=id_field, bound=())
        bound = Binding.objects.filter(route=self.route, remote_id__in=ids).values_list("remote_id", flat=True)
        return candidates(result.records, body, id_field=id_field, bound={str(remote_id) for remote_id in bound})

    def write(self, delivery: Delivery, changes: Changes) -> bool:
        """Write the changes as any settler does, but refuse a remote id that another object's binding has already."""
        if "remote_id" not in changes:
            return super().write(delivery, changes)
        try:
            with transaction.atomic():
                return super().write(delivery, changes)
        except IntegrityError:
            taken = taken_id(delivery.binding.claim, delivery.action, changes["remote_id"])
            return super().write(delivery, taken | {"lease_until": None})
