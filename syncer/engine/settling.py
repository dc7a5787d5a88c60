"""Settling: what came of deliveries is written, in small batches, and only by the worker that holds the claim."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction

from backoffice.kit import clock
from syncer.core.decide import Action
from syncer.core.lookup import candidates
from syncer.core.outcome import Outcome, Verdict, unquoted
from syncer.core.settle import Changes, End, Terms, changes_after, taken_id
from syncer.engine import breaker
from syncer.engine.delivery import Lane, Parcel
from syncer.engine.plan import raise_children
from syncer.engine.sender import Result, Sender, Sent
from syncer.models import Attempt, Binding, Route, Run
from syncer.models.routemap import RouteMap

URL_KEPT = 1024  # characters
LOST = "[not kept: another worker, or an erasure, took over]"
DEFINITE = (Outcome.DONE, Outcome.GONE, Outcome.PERMANENT)


def commit(writes: Iterable[tuple[Lane, Changes]]) -> set[int]:
    """Write each lane's changes if its claim still holds; the bindings that were written.

    In the order of keys, like every other writer of several bindings, so that two never wait for each other.
    """
    with transaction.atomic():
        ordered = sorted(writes, key=lambda write: write[0].key)
        return {lane.pk for lane, changes in ordered if write(lane, changes)}


def write(lane: Lane, changes: Changes) -> bool:
    """Write a lane's changes if its claim still holds; whether it did."""
    return Binding.objects.filter(pk=lane.pk, token=lane.token).update(**changes) == 1


@dataclass(frozen=True, kw_only=True)
class Settler:
    """Settles the deliveries of one route in one run; `probe`: one that tries whether the target works again."""

    run: Run
    routes: RouteMap
    route: Route
    sender: Sender
    probe: bool = False

    def settle(self, results: list[tuple[Parcel, Result]]) -> None:
        """Write what came of `results`, and their attempts, in one transaction."""
        if not results:
            return
        with transaction.atomic(durable=True):
            self._prepare(results)
            now = clock.now()
            moved, lost = [], set()
            for parcel, result in sorted(results, key=lambda pair: pair[0].lane.key):
                changes = self._changes(parcel, result) | {"lease_until": None}
                if result.verdict and result.verdict.outcome in DEFINITE:
                    changes["settled_at"] = now
                if not self._write(parcel, changes):
                    lost.add(parcel.lane.pk)
                elif _id_changed(parcel, changes):
                    moved.append(parcel.lane.key)
            Attempt.objects.bulk_create(
                self._attempt(parcel, sent, result, is_lost=parcel.lane.pk in lost)
                for parcel, result in results
                for sent in result.sent
            )
            if moved:
                raise_children(self.routes, self.route, moved)
            self._heed(results, lost)

    def _prepare(self, results: list[tuple[Parcel, Result]]) -> None:
        """What is to be read under lock first."""

    def _write(self, parcel: Parcel, changes: Changes) -> bool:
        if "remote_id" not in changes:
            return write(parcel.lane, changes)
        try:
            with transaction.atomic():
                return write(parcel.lane, changes)
        except IntegrityError:
            taken = taken_id(parcel.lane.claim, parcel.action, changes["remote_id"])
            return write(parcel.lane, taken | {"lease_until": None})

    def _changes(self, parcel: Parcel, result: Result) -> Changes:
        is_looked_up = parcel.action is Action.LOOKUP and result.verdict and result.verdict.outcome is Outcome.DONE
        end = End(
            action=parcel.action,
            known=parcel.lane.known,
            sent=parcel.sent,
            verdict=result.verdict,
            found=self._candidates(parcel, result) if is_looked_up else (),
        )
        now, jitter = clock.now(), random.random()  # noqa: S311
        changes = changes_after(parcel.lane.claim, end, self.terms, now=now, jitter=jitter)
        if parcel.action in (Action.CREATE, Action.UPDATE) and changes.get("agreed") is not None:
            changes["parent_id"] = parcel.parent
        return changes

    @property
    def terms(self) -> Terms:
        return Terms(
            id_field=self.route.id_field,
            recreate=self.route.missing == Route.Missing.RECREATE,
            request_seconds=self.sender.client.request_seconds,
        )

    def _candidates(self, parcel: Parcel, result: Result) -> list[str]:
        body = parcel.like or {}
        found = candidates(result.records, body, id_field=self.route.id_field, bound=())
        bound = Binding.objects.filter(route=self.route, remote_id__in=found).values_list("remote_id", flat=True)
        return candidates(result.records, body, id_field=self.route.id_field, bound={str(one) for one in bound})

    def _heed(self, results: list[tuple[Parcel, Result]], lost: set[int]) -> None:
        """Note what the answers show of the target, in the order in which they came."""
        verdicts = self._shown(results, lost)
        request_seconds = self.sender.client.request_seconds
        if breaker.note(self.routes.target, verdicts, probe=self.probe, request_seconds=request_seconds):
            self.sender.stop()

    def _shown(self, results: list[tuple[Parcel, Result]], lost: set[int]) -> list[Verdict]:
        """What the answers mean, without what was said to those whose claim was lost."""
        came = sorted((pair for pair in results if pair[1].verdict), key=lambda pair: pair[1].ended)
        return [
            replace(result.verdict, why=unquoted(result.verdict.why)) if parcel.lane.pk in lost else result.verdict
            for parcel, result in came
            if result.verdict
        ]

    def _attempt(self, parcel: Parcel, sent: Sent, result: Result, *, is_lost: bool) -> Attempt:
        """Of a lost claim without what was said: it may have been erased meanwhile."""
        outcome = result.verdict.outcome if result.verdict else Outcome.DONE
        return Attempt(
            run=self.run,
            binding_id=parcel.lane.pk,
            at=sent.at,
            milliseconds=sent.milliseconds,
            action=parcel.action,
            outcome=outcome,
            method=sent.request.method,
            url=LOST if is_lost else sent.request.url[:URL_KEPT],
            request=None if is_lost else sent.request.body,
            status=sent.exchange.status,
            answer=LOST if is_lost else sent.exchange.text,
        )


def _id_changed(parcel: Parcel, changes: Changes) -> bool:
    """Children made under an older id must be told the new one; a first id they have waited for."""
    old, new = parcel.lane.last_remote_id, changes.get("remote_id")
    return old is not None and new is not None and old != new
