"""Delivering: claimed bindings become requests, and what came of them is settled."""

import random
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction

from backoffice.kit import clock
from syncer.core.decide import Action, Changes, ClaimedBinding, Delivery, committed_first, delivery_of, update_body
from syncer.core.lookup import candidates
from syncer.core.outcome import Outcome
from syncer.core.settle import End, Terms, changes_after, taken_id
from syncer.engine.sender import Sender, SendResult
from syncer.engine.settling import Settler, commit
from syncer.models import Binding, Route, Run
from syncer.models.routemap import RouteMap
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.payload import load
from syncer.targets.rest.requests import look_up, send_change


def deliver(
    run: Run, routes: RouteMap, route: Route, bindings: list[ClaimedBinding], sender: Sender, *, probe: bool = False
) -> bool:
    """Bring the records of claimed bindings in line with the live objects, as they are now.

    1. Read the live rows: after the claim was committed, so that an edit is either in them or planned again.
    2. Decide each, from what the target is known to hold and what we have.
    3. Commit the key and body of each create, and which are deletes, before any of them leaves.
    4. Send, and settle what comes back in the batches in which it comes.

    Returns:
        Whether anything was done; False: all of them still wait for another object.
    """
    endpoint = Endpoint.of(route)
    settler = RestSettler(run=run, routes=routes, route=route, sender=sender, probe=probe)
    live = load(routes, route, [binding.key for binding in bindings])
    # The claim has asked this already, but of objects that were perhaps to be there then.
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
    silent: list[tuple[Delivery, SendResult]] = []
    for delivery in deliveries:
        future = _send(sender, endpoint, delivery)
        if future is None:
            silent.append((delivery, SendResult(verdict=None)))
        else:
            futures[future] = delivery
    settler.settle(silent)
    for done in _batches(futures):
        settler.settle([(futures[future], future.result()) for future in done])
    return any(delivery.action is not Action.WAIT for delivery in deliveries)


def _commit_first(deliveries: list[Delivery]) -> list[Delivery]:
    """Store what has to be known before it leaves; drops deliveries whose lease was lost meanwhile.

    What a create then sends is what its row holds, read back: a database may write a number or the order of names in
    its own way, and a repeat must be the same to the byte.
    """
    now = clock.now()
    first = {one.binding.pk: (one.binding, changes) for one in deliveries if (changes := committed_first(one, now))}
    lost = first.keys() - commit(first.values())
    creates = [one.binding.pk for one in deliveries if one.action is Action.CREATE and one.binding.pk not in lost]
    stored = dict(Binding.objects.filter(pk__in=creates).values_list("pk", "create_body")) if creates else {}
    return [
        replace(one, sent=stored[one.binding.pk]) if one.binding.pk in stored else one
        for one in deliveries
        if one.binding.pk not in lost
    ]


def _send(sender: Sender, endpoint: Endpoint, delivery: Delivery) -> Future[SendResult] | None:
    """Start the delivery's request; None where it needs none."""
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


def _batches(futures: Iterable[Future[SendResult]]) -> Iterator[set[Future[SendResult]]]:
    left = set(futures)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        yield done


@dataclass(frozen=True, kw_only=True)
class RestSettler(Settler):
    """Settles creates, updates, deletes and look-ups."""

    def changes(self, delivery: Delivery, result: SendResult) -> Changes:
        verdict, found = result.verdict, list[str]()
        if delivery.action is Action.LOOKUP and verdict and verdict.outcome is Outcome.DONE:
            found = self._candidates(delivery, result)
        end = End(
            action=delivery.action, known=delivery.binding.known, sent=delivery.sent, verdict=verdict, found=found
        )
        terms = Terms(
            id_field=self.route.id_field,
            recreate=self.route.missing == Route.Missing.RECREATE,
            request_seconds=self.sender.client.request_seconds,
        )
        now, jitter = clock.now(), random.random()  # noqa: S311 - no secret
        changes = changes_after(delivery.binding.claim, end, terms, now=now, jitter=jitter)
        if delivery.action in (Action.CREATE, Action.UPDATE) and changes.get("agreed") is not None:
            changes["parent_id"] = delivery.parent
        return changes

    def _candidates(self, delivery: Delivery, result: SendResult) -> list[str]:
        """The records that may be the one looked for; one that is bound belongs to another object."""
        body, id_field = delivery.like or {}, self.route.id_field
        found = candidates(result.records, body, id_field=id_field, bound=())
        bound = Binding.objects.filter(route=self.route, remote_id__in=found).values_list("remote_id", flat=True)
        return candidates(result.records, body, id_field=id_field, bound={str(one) for one in bound})

    def write(self, delivery: Delivery, changes: Changes) -> bool:
        """As for any target; a record's id that another object's binding has already is not taken."""
        if "remote_id" not in changes:
            return super().write(delivery, changes)
        try:
            with transaction.atomic():
                return super().write(delivery, changes)
        except IntegrityError:
            taken = taken_id(delivery.binding.claim, delivery.action, changes["remote_id"])
            return super().write(delivery, taken | {"lease_until": None})
