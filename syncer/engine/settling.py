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
from syncer.engine.delivery import ClaimedBinding, Delivery
from syncer.engine.plan import raise_children
from syncer.engine.sender import Result, Sender, Sent
from syncer.models import Attempt, Binding, Route, Run
from syncer.models.routemap import RouteMap

URL_KEPT = 1024  # characters
LOST = "[not kept: another worker, or an erasure, took over]"
DEFINITE = (Outcome.DONE, Outcome.GONE, Outcome.PERMANENT)


def commit(writes: Iterable[tuple[ClaimedBinding, Changes]]) -> set[int]:
    """Write each binding's changes if its claim still holds; the bindings that were written.

    In the order of keys, like every other writer of several bindings, so that two never wait for each other.
    """
    with transaction.atomic():
        ordered = sorted(writes, key=lambda write: write[0].key)
        return {binding.pk for binding, changes in ordered if write(binding, changes)}


def write(binding: ClaimedBinding, changes: Changes) -> bool:
    """Write a binding's changes if its claim still holds; whether it did."""
    return Binding.objects.filter(pk=binding.pk, token=binding.token).update(**changes) == 1


@dataclass(frozen=True, kw_only=True)
class Settler:
    """Settles the deliveries of one route in one run; `probe`: one that tries whether the target works again."""

    run: Run
    routes: RouteMap
    route: Route
    sender: Sender
    probe: bool = False

    def settle(self, results: list[tuple[Delivery, Result]]) -> None:
        """Write what came of `results`, and their attempts, in one transaction."""
        if not results:
            return
        with transaction.atomic(durable=True):
            self._prepare(results)
            now = clock.now()
            moved, lost = [], set()
            for delivery, result in sorted(results, key=lambda pair: pair[0].binding.key):
                changes = self._changes(delivery, result) | {"lease_until": None}
                if result.verdict and result.verdict.outcome in DEFINITE:
                    changes["settled_at"] = now
                if not self._write(delivery, changes):
                    lost.add(delivery.binding.pk)
                elif _id_changed(delivery, changes):
                    moved.append(delivery.binding.key)
            Attempt.objects.bulk_create(
                self._attempt(delivery, sent, result, is_lost=delivery.binding.pk in lost)
                for delivery, result in results
                for sent in result.sent
            )
            if moved:
                raise_children(self.routes, self.route, moved)
            self._observe(results, lost)

    def _prepare(self, results: list[tuple[Delivery, Result]]) -> None:
        """What is to be read under lock first."""

    def _write(self, delivery: Delivery, changes: Changes) -> bool:
        if "remote_id" not in changes:
            return write(delivery.binding, changes)
        try:
            with transaction.atomic():
                return write(delivery.binding, changes)
        except IntegrityError:
            taken = taken_id(delivery.binding.claim, delivery.action, changes["remote_id"])
            return write(delivery.binding, taken | {"lease_until": None})

    def _changes(self, delivery: Delivery, result: Result) -> Changes:
        is_looked_up = delivery.action is Action.LOOKUP and result.verdict and result.verdict.outcome is Outcome.DONE
        end = End(
            action=delivery.action,
            known=delivery.binding.known,
            sent=delivery.sent,
            verdict=result.verdict,
            found=self._candidates(delivery, result) if is_looked_up else (),
        )
        now, jitter = clock.now(), random.random()  # noqa: S311
        changes = changes_after(delivery.binding.claim, end, self.terms, now=now, jitter=jitter)
        if delivery.action in (Action.CREATE, Action.UPDATE) and changes.get("agreed") is not None:
            changes["parent_id"] = delivery.parent
        return changes

    @property
    def terms(self) -> Terms:
        return Terms(
            id_field=self.route.id_field,
            recreate=self.route.missing == Route.Missing.RECREATE,
            request_seconds=self.sender.client.request_seconds,
        )

    def _candidates(self, delivery: Delivery, result: Result) -> list[str]:
        body = delivery.like or {}
        found = candidates(result.records, body, id_field=self.route.id_field, bound=())
        bound = Binding.objects.filter(route=self.route, remote_id__in=found).values_list("remote_id", flat=True)
        return candidates(result.records, body, id_field=self.route.id_field, bound={str(one) for one in bound})

    def _observe(self, results: list[tuple[Delivery, Result]], lost: set[int]) -> None:
        """Note what the answers show of the target, in the order in which they came."""
        verdicts = self._shown(results, lost)
        request_seconds = self.sender.client.request_seconds
        if breaker.note(self.routes.target, verdicts, probe=self.probe, request_seconds=request_seconds):
            self.sender.stop()

    def _shown(self, results: list[tuple[Delivery, Result]], lost: set[int]) -> list[Verdict]:
        """What the answers mean, without what was said to those whose claim was lost."""
        came = sorted((pair for pair in results if pair[1].verdict), key=lambda pair: pair[1].ended)
        return [
            replace(result.verdict, why=unquoted(result.verdict.why)) if delivery.binding.pk in lost else result.verdict
            for delivery, result in came
            if result.verdict
        ]

    def _attempt(self, delivery: Delivery, sent: Sent, result: Result, *, is_lost: bool) -> Attempt:
        """Of a lost claim without what was said: it may have been erased meanwhile."""
        outcome = result.verdict.outcome if result.verdict else Outcome.DONE
        return Attempt(
            run=self.run,
            binding_id=delivery.binding.pk,
            at=sent.at,
            milliseconds=sent.milliseconds,
            action=delivery.action,
            outcome=outcome,
            method=sent.request.method,
            url=LOST if is_lost else sent.request.url[:URL_KEPT],
            request=None if is_lost else sent.request.body,
            status=sent.exchange.status,
            answer=LOST if is_lost else sent.exchange.text,
        )


def _id_changed(delivery: Delivery, changes: Changes) -> bool:
    """Children made under an older id must be told the new one; a first id they have waited for."""
    old, new = delivery.binding.last_remote_id, changes.get("remote_id")
    return old is not None and new is not None and old != new
