"""Delivery to a REST service: send the requests of claimed bindings, and settle their results.

The module has over 300 lines because it is one story, in the order in which it happens.
"""

import random
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from math import inf

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q

from backoffice.kit import clock
from backoffice.kit.batches import batched
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
from syncer.engine.sender import PATIENCE, Flow, Sender, SendResult, Task
from syncer.engine.settling import Results, Settler, write
from syncer.models import Binding, Route, Run
from syncer.models.binding import claimed
from syncer.models.routemap import RouteMap
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.evidence import UNPROVEN
from syncer.targets.rest.exchanges import find, list_records, send_change
from syncer.targets.rest.payload import load
from syncer.targets.rest.proof import beside, disbelieved, own_candidates, unproven

SETTLE_MOST = 500  # results in one transaction
SETTLE_SECONDS = 0.05  # for which the first of them waits for others
QUIET = 0.003  # seconds without a result, in which all places are taken: the time to settle is now


def deliver(
    run: Run,
    routes: RouteMap,
    route: Route,
    batches: Iterable[list[ClaimedBinding]],
    sender: Sender,
    *,
    probe: bool = False,
) -> bool:
    """Bring the records of claimed bindings in line with the live objects, as they are now.

    1. Take half a batch of claims before every place at the target is free: what waits for one goes out while the next
       are claimed and read. No more than a batch ever waits.
    2. Read the live rows after the claim was committed, so that an edit is either in them or planned again.
    3. Decide each delivery from what the target is known to hold and what we have.
    4. Commit the key and body of each create, and which deliveries are deletes, before any request leaves.
    5. Send, and settle the results together as they arrive. A lookup whose filtered list does not show the record goes
       on to the whole list: servers filter by texts that they keep in another form, and ignore filters.

    Returns:
        False if all of the bindings still wait for another object; else True. An object that is gone since the claim
        is to be claimed again, as a delete.
    """
    window = _Window(settler=RestSettler(run=run, routes=routes, route=route, sender=sender, probe=probe))
    half = max(1, settings.SYNC_BATCH // 2)
    claims = (part for bindings in batches for part in batched(bindings, half))
    progress, goes_on, few = False, True, sender.concurrency - 1 + min(sender.concurrency, half)
    waiting: set[int] = set()
    while goes_on or window.in_flight:
        while goes_on and window.in_flight <= few:
            bindings = next(claims, [])
            is_begun = bool(bindings) and window.begin(bindings)
            pks = set() if is_begun else {binding.pk for binding in bindings}
            goes_on = is_begun or not pks <= waiting  # those that wait could be claimed for ever
            waiting |= pks
            progress |= is_begun
        window.settle_some(few if goes_on else 0)
    return progress


@dataclass(frozen=True, kw_only=True)
class _InFlight:
    """One delivery whose request has been handed to the sender."""

    delivery: Delivery
    before: SendResult | None  # the result of its earlier steps
    search: "_Lookups"


@dataclass(kw_only=True)
class _Window:
    """The deliveries of one step that are under way.

    Attributes:
        in_flight: the number of those whose results have not come yet.
        ended: the results that are to be settled, in the order in which they came.
    """

    settler: "RestSettler"
    in_flight: int = 0
    ended: deque[tuple[_InFlight, SendResult]] = field(default_factory=deque)

    def begin(self, bindings: list[ClaimedBinding]) -> bool:
        """Send what the claimed bindings need; return False if all of them wait for another object."""
        routes, route, sender = self.settler.routes, self.settler.route, self.settler.sender
        endpoint = Endpoint.of(route)
        sender.wait(0)  # here and below: so that no place is free for longer than one statement takes
        live = load(routes, route, [binding.key for binding in bindings])
        sender.wait(0)
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
        sender.wait(0)
        search = _Lookups(settler=self.settler, endpoint=endpoint)
        without_request = []
        for delivery in deliveries:
            flow = _flow(sender, endpoint, delivery)
            if flow is None:
                without_request.append((delivery, SendResult(verdict=None)))
            else:
                is_delete = delivery.action is Action.DELETE
                task = sender.submit(flow, about=delivery.binding.pk, is_delete=is_delete)
                self._follow(_InFlight(delivery=delivery, before=None, search=search), task)
        self.settler.settle(without_request)
        is_gone_since = any(not binding.deletes and binding.pk in gone for binding in bindings)
        return is_gone_since or any(delivery.action is not Action.WAIT for delivery in deliveries)

    def settle_some(self, few: int) -> None:
        """Settle what ends within a moment, in one transaction; sooner if no more than a `few` are under way."""
        results: list[tuple[Delivery, SendResult]] = []
        ends = inf
        while self.in_flight > few and len(results) < SETTLE_MOST and time.monotonic() < ends:
            if not self.ended:
                self.settler.sender.wait(QUIET if results else PATIENCE)
            if results and not self.ended:
                break
            if not results and self.ended:
                ends = time.monotonic() + SETTLE_SECONDS
            while self.ended:
                one, latest = self.ended.popleft()
                self.in_flight -= 1
                result = joined(one.before, latest)
                if following := one.search.next_step(one.delivery, result):
                    self._follow(replace(one, before=result), following)
                else:
                    results.append((one.delivery, result))
        self.settler.sender.wait(0)  # so that the places of what has ended are taken while it is settled
        self.settler.settle(results)

    def _follow(self, one: _InFlight, task: Task[SendResult]) -> None:
        self.in_flight += 1
        task.then(lambda: self.ended.append((one, task.result)))


def joined(before: SendResult | None, latest: SendResult) -> SendResult:
    """Return the result of a delivery that took several steps: a create that the target refused remains refused."""
    if before is None:
        return latest
    verdict, sent = latest.verdict, before.sent
    if before.verdict and before.verdict.outcome is Outcome.TAKEN:
        sent = tuple(replace(one, outcome=one.outcome or Outcome.TAKEN) for one in sent)
        verdict = before.verdict if verdict and verdict.outcome is Outcome.DONE else verdict or UNPROVEN
    return replace(latest, verdict=verdict, sent=sent + latest.sent, steps=before.steps + 1)


@dataclass(kw_only=True)
class _Lookups:
    """The lookups of one batch. The whole list is fetched at most once for all of them: after every one was claimed."""

    settler: "RestSettler"
    endpoint: Endpoint
    listings: dict[str, Task[SendResult]] = field(default_factory=dict)

    def next_step(self, delivery: Delivery, result: SendResult) -> Task[SendResult] | None:
        """Return what has to follow before the delivery can be settled; None where nothing has to."""
        verdict, sought, sender = result.verdict, delivery.sought, self.settler.sender
        if verdict is None or sought is None or not (sought.lookup or sought.own_id):
            return None
        is_refused = delivery.action is Action.CREATE and verdict.outcome is Outcome.TAKEN
        is_found = delivery.action is Action.LOOKUP and verdict.outcome is Outcome.DONE
        ends = delivery.binding.ends
        if is_refused and result.steps == 1:
            return sender.submit(find(sender, self.endpoint, sought, ends), about=delivery.binding.pk)
        last_step = 2 if is_refused else 1
        if not (is_refused or is_found) or sought.own_id or result.steps > last_step:
            return None
        if decisive(self.settler.candidates(delivery, result)):
            return None
        whole = replace(sought, lookup=())
        if whole.path not in self.listings:
            self.listings[whole.path] = sender.submit(list_records(sender, self.endpoint, whole, ends))
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
    if not writes:
        return deliveries
    lost = writes.keys() - write(writes.values())
    kept = [delivery for delivery in deliveries if delivery.binding.pk not in lost]
    creates = [delivery.binding.pk for delivery in kept if delivery.action is Action.CREATE]
    bodies = dict(Binding.objects.filter(pk__in=creates).values_list("pk", "create_body")) if creates else {}
    return [
        replace(delivery, sent=bodies[delivery.binding.pk]) if delivery.binding.pk in bodies else delivery
        for delivery in kept
    ]


def _flow(sender: Sender, endpoint: Endpoint, delivery: Delivery) -> Flow[SendResult] | None:
    """Return what is asked of the target for a delivery; None where nothing is."""
    known, sent = delivery.binding.known, delivery.sent
    if delivery.action is Action.LOOKUP and delivery.sought:
        return find(sender, endpoint, delivery.sought, delivery.binding.ends)
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

    def changes(self, delivery: Delivery, result: SendResult, *, now: datetime) -> Changes:
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
        jitter = random.random()  # noqa: S311 - no secret
        changes = changes_after(delivery.binding.claim, end, rules, now=now, jitter=jitter)
        if delivery.action in (Action.CREATE, Action.UPDATE) and changes.get("agreed") is not None:
            changes["parent_id"] = delivery.parent
        return changes

    def candidates(self, delivery: Delivery, result: SendResult) -> Sequence[Candidate]:
        """Return the listed records that may be the wanted one; a bound record belongs to another object."""
        sought = delivery.sought
        if sought is None or not result.records:
            return ()
        answers = Endpoint.of(self.route).answers
        if sought.own_id:
            return own_candidates(result.records[0], sought, answers)
        found = search(result.records, sought, answers)
        ids = [spelling for candidate in found for spelling in spellings(candidate.remote_id)]
        bound = beside(self.route).filter(remote_id__in=ids).values_list("remote_id", flat=True)
        taken = {id_text(str(remote_id)) for remote_id in bound}
        return [candidate for candidate in found if id_text(candidate.remote_id) not in taken]

    def write(self, writes: Sequence[tuple[Delivery, Changes]]) -> set[int]:
        """Write the changes as any settler does, but refuse a remote id that another object's binding has already."""
        named = [changes["remote_id"] for _, changes in writes if changes.get("remote_id") is not None]
        if not named:
            return super().write(writes)
        self._free_reused_ids(named)
        try:
            with transaction.atomic():
                self._refuse_taken(named)
                return super().write(writes)
        except IntegrityError:
            if len(writes) > 1:
                return set().union(*(self.write([one]) for one in writes))
            [(delivery, changes)] = writes
            taken = taken_id(delivery.binding.claim, delivery.action, changes["remote_id"])
            if delivery.action in (Action.LOOKUP, Action.UPDATE):
                taken["not_before"] = clock.now() + timedelta(seconds=backoff(taken["tries"], 1.0))
            self._distrust(changes["remote_id"], but=delivery.binding.pk)
            return super().write([(delivery, taken | {"lease_until": None})])

    def _refuse_taken(self, remote_ids: Sequence[str]) -> None:
        """Refuse ids that objects of another route to the same path have.

        Raises:
            IntegrityError: one has such an id. Of the same route, the database refuses it.
        """
        shared = any(other.path == self.route.path and other != self.route for other in self.routes.ordered)
        ids = [spelling for remote_id in remote_ids for spelling in spellings(remote_id)]
        if shared and beside(self.route).exclude(route=self.route).filter(remote_id__in=ids).exists():
            raise IntegrityError("another route to the same path has a record with this id")

    def _distrust(self, remote_id: str, *, but: int) -> None:
        """Have the record with this id compared again: a create that was answered with it may have overwritten it."""
        owners = beside(self.route).filter(remote_id__in=spellings(remote_id), on_hold=False).exclude(pk=but)
        unlocked = owners.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)
        Binding.objects.filter(pk__in=list(unlocked)).update(wanted=F("wanted") + 1, unconfirmed=True)

    def _free_reused_ids(self, remote_ids: Sequence[str]) -> None:
        """Take ids from records whose delete was not answered: new records have them, so the deletes did arrive.

        Some servers give the highest id + 1. The delete, sent again, would destroy the new record.
        """
        ids = [spelling for remote_id in remote_ids for spelling in spellings(remote_id)]
        lost = Q(deleting=True, unconfirmed=True) & ~claimed(clock.now())
        deleting = Binding.objects.filter(lost, route=self.route, remote_id__in=ids)
        deleting.update(
            remote_id=None, agreed=None, parent=None, unconfirmed=False, deleting=False, token=F("token") + 1
        )
