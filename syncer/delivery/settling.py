"""Settling: what came of deliveries is written, in small batches, and only by the worker that holds the claim."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction

from backoffice.kit import clock
from syncer.core import settle
from syncer.core.answers import ANSWER_KEPT, Outcome, Verdict
from syncer.core.decide import Action
from syncer.core.matching import candidates
from syncer.core.settle import Changes
from syncer.delivery.parcel import Lane, Parcel
from syncer.delivery.send import Result, Sender, Sent
from syncer.models import Attempt, Binding, Route, Run, Target
from syncer.plan import raise_children
from syncer.reports.reading import unquoted
from syncer.routemap import RouteMap

URL_KEPT = 1024  # characters
LOST = "[not kept: another worker, or an erasure, took over]"
DEFINITE = (Outcome.DONE, Outcome.GONE, Outcome.PERMANENT)


def commit(writes: Iterable[tuple[Lane, Changes]]) -> set[int]:
    """Write each lane's changes if its claim still holds; the bindings that were written.

    In the order of keys, like every other writer of several bindings, so that two never wait for each other.
    """
    with transaction.atomic():
        ordered = sorted(writes, key=lambda write: write[0].key)
        return {lane.pk for lane, changes in ordered if _write(lane, changes)}


def _write(lane: Lane, changes: Changes) -> bool:
    return Binding.objects.filter(pk=lane.pk, token=lane.token).update(**changes) == 1


@dataclass(frozen=True, kw_only=True)
class Settler:
    """Settles the deliveries of one route in one run."""

    run: Run
    routes: RouteMap
    route: Route
    sender: Sender

    def settle(self, results: list[tuple[Parcel, Result]]) -> None:
        """Write what came of `results`, and their attempts, in one transaction."""
        if not results:
            return
        with transaction.atomic(durable=True):
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
            for parcel, result in results:
                self._heed(result.verdict, is_lost=parcel.lane.pk in lost)

    def _write(self, parcel: Parcel, changes: Changes) -> bool:
        if "remote_id" not in changes:
            return _write(parcel.lane, changes)
        try:
            with transaction.atomic():
                return _write(parcel.lane, changes)
        except IntegrityError:
            taken = settle.taken_id(parcel.lane.claim, changes["remote_id"])
            return _write(parcel.lane, taken | {"lease_until": None})

    def _changes(self, parcel: Parcel, result: Result) -> Changes:
        claim, action, verdict = parcel.lane.claim, parcel.action, result.verdict
        if action is Action.NOTHING:
            return settle.delivered(claim, action, sent=None, verdict=Verdict(outcome=Outcome.DONE))
        if action is Action.DOUBT:
            return settle.doubtful(claim, "a create was not answered, and this route has no lookup to find it by")
        if action is Action.WAIT or verdict is None:
            return settle.not_sent(claim, action)
        return self._answered(parcel, result, verdict)

    def _answered(self, parcel: Parcel, result: Result, verdict: Verdict) -> Changes:
        claim, action, now = parcel.lane.claim, parcel.action, clock.now()
        jitter = random.random()  # noqa: S311
        match verdict.outcome:
            case Outcome.DONE if action is Action.LOOKUP:
                return settle.looked_up(claim, self._candidates(parcel, result))
            case Outcome.DONE:
                changes = settle.delivered(
                    claim, action, sent=parcel.sent, verdict=verdict, id_field=self.route.id_field
                )
                return changes | ({"parent_id": parcel.parent} if parcel.sent is not None else {})
            case Outcome.GONE:
                return settle.gone(verdict.why)
            case Outcome.UNKNOWN:
                seconds = self.sender.client.request_seconds
                return settle.unknown(claim, verdict, now=now, jitter=jitter, request_seconds=seconds)
            case _:
                return settle.refused(claim, action, verdict, now=now, jitter=jitter)

    def _candidates(self, parcel: Parcel, result: Result) -> list[str]:
        body = parcel.lane.known.create_body or {}
        found = candidates(result.records, body, id_field=self.route.id_field, bound=())
        bound = Binding.objects.filter(route=self.route, remote_id__in=found).values_list("remote_id", flat=True)
        return candidates(result.records, body, id_field=self.route.id_field, bound={str(one) for one in bound})

    def _heed(self, verdict: Verdict | None, *, is_lost: bool) -> None:
        """The whole target waits when it asks us to, and pauses when its settings need a person."""
        if verdict is None:
            return
        target = Target.objects.filter(pk=self.routes.target.pk)
        if verdict.target_waits is not None:
            self.sender.stop()
            target.update(not_before=clock.now() + timedelta(seconds=verdict.target_waits))
        if verdict.outcome is Outcome.CONFIGURATION:
            self.sender.stop()
            why = unquoted(verdict.why) if is_lost else verdict.why
            target.update(paused=f"{self.routes.target} {why}"[: settle.REASON_LENGTH])

    def _attempt(self, parcel: Parcel, sent: Sent, result: Result, *, is_lost: bool) -> Attempt:
        """Of a lost claim without what was said: it may have been erased meanwhile."""
        outcome = result.verdict.outcome if result.verdict else Outcome.DONE
        text = sent.exchange.body.decode(errors="replace") if sent.exchange.silence is None else sent.exchange.why
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
            answer=LOST if is_lost else text[:ANSWER_KEPT].replace("\x00", ""),
        )


def _id_changed(parcel: Parcel, changes: Changes) -> bool:
    """Children made under an older id must be told the new one; a first id they have waited for."""
    old, new = parcel.lane.last_remote_id, changes.get("remote_id")
    return old is not None and new is not None and old != new
