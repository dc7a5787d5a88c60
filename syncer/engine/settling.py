"""Settling: write the results of deliveries, in small batches, and only while this worker holds their claims."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from backoffice.kit import clock
from backoffice.kit.bulk import insert_rows, update_rows
from syncer.core.decide import Action, Changes, ClaimedBinding, Delivery
from syncer.core.outcome import REFUSED, Outcome, Verdict, unquoted
from syncer.engine import breaker
from syncer.engine.plan import raise_children
from syncer.engine.sender import Sender, SendResult, Sent
from syncer.models import Attempt, Binding, Route, Run
from syncer.models.routemap import RouteMap

URL_KEPT = 1024  # characters
ATTEMPT = (
    *("run_id", "binding_id", "at", "milliseconds", "action", "outcome"),
    *("method", "url", "request", "status", "answer"),
)
LOST = "[not kept: another worker, or an erasure, took over]"
DEFINITE = (Outcome.DONE, Outcome.MADE, Outcome.GONE, *REFUSED)

Results = list[tuple[Delivery, SendResult]]


def write(writes: Iterable[tuple[ClaimedBinding, Changes]]) -> set[int]:
    """Write each binding's changes if its claim still holds; return the primary keys of those that were written."""
    rows = [{"id": binding.pk, "token": binding.token, **changes} for binding, changes in writes]
    with transaction.atomic(savepoint=False):
        return update_rows(Binding, rows, match=("id", "token"), order="object_key")


@dataclass(frozen=True, kw_only=True)
class Settler(ABC):
    """Settles the deliveries of one route in one run."""

    run: Run
    routes: RouteMap
    route: Route
    sender: Sender
    probe: bool = False  # whether the deliveries test if an unreachable target answers again

    @abstractmethod
    def changes(self, delivery: Delivery, result: SendResult, *, now: datetime) -> Changes:
        """Return the columns of the binding that the result of its delivery, settled `now`, changes."""

    def prepare(self, results: Results) -> None:  # noqa: B027 - most kinds need nothing
        """Read, under lock, the rows that `changes` needs, before anything is written."""

    def write(self, writes: Sequence[tuple[Delivery, Changes]]) -> set[int]:
        """Write the changes of deliveries whose claims still hold; return the primary keys of their bindings."""
        return write((delivery.binding, changes) for delivery, changes in writes)

    def verdicts(self, results: Results, lost: set[int]) -> list[Verdict]:
        """Return what the answers show of the target, in the order in which they came.

        Answers to bindings whose claim was lost are not quoted, since they may have been erased.
        """
        answered = [(delivery, result) for delivery, result in results if result.verdict]
        return [
            replace(result.verdict, why=unquoted(result.verdict.why)) if delivery.binding.pk in lost else result.verdict
            for delivery, result in sorted(answered, key=lambda pair: pair[1].ended)
            if result.verdict
        ]

    def settle(self, results: Results) -> None:
        """Write the results of deliveries, their attempts, and what they show of the target, in one transaction."""
        if not results:
            return
        with transaction.atomic(durable=True):
            self.prepare(results)
            now = clock.now()
            writes = [(delivery, self._columns(delivery, result, now)) for delivery, result in results]
            written = self.write(writes)
            lost = {delivery.binding.pk for delivery, _ in writes} - written
            rejected = {delivery.binding.pk for delivery, changes in writes if changes.get("rejected") is not None}
            moved = [  # the children of a first id have waited unsent
                delivery.binding.key
                for delivery, changes in writes
                if delivery.binding.pk in written
                and delivery.binding.last_remote_id
                and changes.get("remote_id") not in (None, delivery.binding.last_remote_id)
            ]
            attempts = (
                self._attempt(
                    delivery,
                    sent,
                    result,
                    is_lost=delivery.binding.pk in lost,
                    is_rejected=delivery.binding.pk in rejected,
                )
                for delivery, result in results
                for sent in result.sent
            )
            insert_rows(Attempt, ATTEMPT, attempts)
            if moved:
                raise_children(self.routes, self.route, moved)
            if breaker.note(
                self.routes.target,
                self.verdicts(results, lost),
                probe=self.probe,
                request_seconds=self.sender.client.request_seconds,
            ):
                self.sender.stop()

    def _columns(self, delivery: Delivery, result: SendResult, now: datetime) -> Changes:
        """Return the columns that the end of a delivery changes, with the time of a definite answer."""
        changes = self.changes(delivery, result, now=now) | {"lease_until": None}
        is_definite = result.verdict is not None and result.verdict.outcome in DEFINITE
        return changes | ({"settled_at": now} if is_definite else {})

    def _attempt(
        self, delivery: Delivery, sent: Sent, result: SendResult, *, is_lost: bool, is_rejected: bool
    ) -> tuple[Any, ...]:
        """Return the columns ATTEMPT of an exchange."""
        outcome = sent.outcome or (result.verdict.outcome if result.verdict else Outcome.DONE)
        if outcome is Outcome.TAKEN and is_rejected:  # nothing was found that could be in its place
            outcome = Outcome.PERMANENT
        is_evidence = sent.request.method == "GET" and delivery.action is not Action.LOOKUP
        return (
            self.run.pk,
            delivery.binding.pk,
            sent.at,
            sent.milliseconds,
            Attempt.Action.EVIDENCE if is_evidence else delivery.action,
            outcome,
            sent.request.method,
            LOST if is_lost else sent.request.url[:URL_KEPT],
            None if is_lost else sent.request.body,
            sent.exchange.status,
            LOST if is_lost else sent.exchange.text,
        )
