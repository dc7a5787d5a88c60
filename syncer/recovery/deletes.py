"""Decides about deletes that wait for a person (`engine/ceiling.py`): allows exactly those shown, or undoes the edits.

What a person was shown is named by a digest of the bindings and their wanted versions. If the deletes that wait are no
longer these, nothing is decided and the person has to look again.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit import clock
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.batches import batched
from backoffice.kit.history import history_of
from backoffice.kit.logs import by
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import counted
from backoffice.kit.versions import go_back
from syncer.core.errors import NotPossibleError
from syncer.core.ids import decode_id
from syncer.engine import ceiling
from syncer.engine.alerts.deletes import deletes_decided
from syncer.engine.ceiling import Waiting
from syncer.models import Binding, Route, Target
from syncer.models.keys import pks
from syncer.models.routemap import RouteMap

log = logging.getLogger("syncer.recovery.deletes")
AT_ONCE = 1000  # rows of one statement
LISTED = 200  # deletes that are shown by name; all are counted
NAMED = 5  # objects that a refusal names


@dataclass(frozen=True, kw_only=True)
class Delete:
    """One record that would be deleted."""

    pk: int  # of its binding
    route: Route
    key: str  # of its object
    record: str  # its id at the target, as people read it
    wanted: int
    parent: int | None  # the binding of its parent's record

    def __str__(self) -> str:
        return f"{self.route.model}:{self.key}"


@dataclass(frozen=True, kw_only=True)
class Review:
    """The deletes at a target that wait for a person, parents first, and why."""

    target: Target
    why: Sequence[Waiting]
    deletes: Sequence[Delete]

    @cached_property
    def digest(self) -> str:
        """What a decision must name, so that it is about exactly these deletes; empty where none waits."""
        if not self.deletes:
            return ""
        versions = sorted((delete.pk, delete.wanted) for delete in self.deletes)
        return hashlib.sha256(repr(versions).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """Return the deletes as commands and the API show them, the first LISTED of them by name."""
        return {
            "target": self.target.name,
            "number": len(self.deletes),
            "digest": self.digest,
            "why": [{"model": item.route.model, "number": item.number, "why": item.why} for item in self.why],
            "deletes": [{"object": str(delete), "record": delete.record} for delete in self.deletes[:LISTED]],
            "more": max(0, len(self.deletes) - LISTED),
        }

    def by_route(self) -> Iterator[tuple[Route, list[Delete]]]:
        for route, deletes in groupby(self.deletes, key=lambda delete: delete.route):
            yield route, list(deletes)


def review(target: Target, *, model: str = "") -> Review:
    """Return the deletes that wait at a target, of one model or of all.

    With them come their parents whose deletes would follow: they wait for their children.

    Raises:
        TargetStoppedError: the target's routes can't be read.
    """
    why = ceiling.waiting_at(target)
    if not why:
        return Review(target=target, why=[], deletes=[])
    routes = RouteMap(target)
    due = {delete.pk: delete for route in routes.parents_first for delete in _deletes(routes, route)}
    kept: set[int] = set()
    found = {
        pk
        for waiting in why
        for pk in Binding.objects.filter(waiting.condition, route=waiting.route).values_list("pk", flat=True)
    }
    while found := (found & due.keys()) - kept:
        kept |= found
        found = {parent for pk in found if (parent := due[pk].parent)}
    deletes = [delete for pk, delete in due.items() if pk in kept and model in ("", delete.route.model)]
    return Review(target=target, why=why, deletes=deletes)


def allow(target: Target, digest: str, *, user: Any, model: str = "") -> int:
    """Let the next sync make exactly the deletes that were shown; return how many.

    Args:
        user: the person who allows them; None for the command line.

    Raises:
        NotPossibleError: other deletes wait than those that were shown.
    """
    with transaction.atomic(durable=True):
        seen = _as_shown(target, digest, model)
        for some in _locked(seen):
            Binding.objects.filter(pk__in=some).update(delete_allowed=True)
        record(Action.DECIDED, target, actor=user, decision="allow deletes", objects=len(seen.deletes))
        _record(
            seen, counted("Allowed %(number)s delete.", "Allowed %(number)s deletes.", number=len(seen.deletes)), user
        )
    return len(seen.deletes)


def undo(target: Target, digest: str, *, user: Any, model: str = "") -> int:
    """Undo the edits that led to the deletes that were shown, all or nothing; return the number of deletes.

    An object that was deleted here is restored from its history under its own key. One that was edited, so that it does
    not pass its route's filter any more, goes back to its version at the last delivery. Nothing is sent: the objects
    are again what the target holds.

    Args:
        user: the person who asks, whose permissions count; None for the command line, which may do everything.

    Raises:
        NotPossibleError: other deletes wait than those that were shown, or some can't be undone; the message says why.
    """
    reason = _("Undone: it was not to be deleted at %(target)s") % {"target": target.name}
    with transaction.atomic(durable=True):
        seen = _as_shown(target, digest, model)
        refused = [why for route, deletes in seen.by_route() for why in _undo_edits(route, deletes, user, reason)]
        if refused:
            text = _("Nothing was undone. %(why)s")
            if more := len(refused[NAMED:]):
                text = ngettext(
                    "Nothing was undone. %(why)s And %(more)d more.",
                    "Nothing was undone. %(why)s And %(more)d more.",
                    more,
                )
            raise NotPossibleError(text % {"why": " ".join(refused[:NAMED]), "more": more})
        _refuse_filtered(seen)
        undone = counted(
            "Undid the edits behind %(number)s delete.",
            "Undid the edits behind %(number)s deletes.",
            number=len(seen.deletes),
        )
        record(Action.DECIDED, target, actor=user, decision="undo deletes", objects=len(seen.deletes))
        _record(seen, undone, user)
    return len(seen.deletes)


def last_versions(route: Route, keys: Iterable[str]) -> dict[Any, Any]:
    """Return the newest history row of each object that is deleted here, `{primary key: row}`."""
    model = route.declaration.model
    key, history = model._meta.pk, history_of(model)._default_manager
    rows: dict[Any, Any] = {}
    for some in batched(pks(model, keys), AT_ONCE):
        newest = history.filter(**{f"{key.attname}__in": some}).order_by().values(key.attname)
        ids = newest.annotate(newest=Max("history_id")).values("newest")
        rows |= {getattr(row, key.attname): row for row in history.filter(history_id__in=ids, history_type="-")}
    return rows


def _deletes(routes: RouteMap, route: Route) -> Iterator[Delete]:
    rows = Binding.objects.filter(ceiling.unpermitted(routes, route), route=route).order_by("pk")
    columns = ("pk", "object_key", "remote_id", "wanted", "parent_id")
    for pk, key, remote_id, wanted, parent in rows.values_list(*columns).iterator():
        record = str(decode_id(remote_id or ""))
        yield Delete(pk=pk, route=route, key=key, record=record, wanted=wanted, parent=parent)


def _as_shown(target: Target, digest: str, model: str) -> Review:
    seen = review(target, model=model)
    if not digest or seen.digest != digest:
        text = _("What would be deleted at %(target)s has changed since you looked. Look at it again, then decide.")
        raise NotPossibleError(text % {"target": target})
    return seen


def _locked(seen: Review) -> Iterator[list[int]]:
    """Yield the bindings in parts, locked in the order of their keys, as every other writer locks them."""
    for _route, deletes in seen.by_route():
        for some in batched(sorted(deletes, key=lambda delete: delete.key), AT_ONCE):
            rows = Binding.objects.filter(pk__in=[delete.pk for delete in some]).order_by("object_key")
            yield list(rows.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))


def _undo_edits(route: Route, deletes: Sequence[Delete], user: Any, reason: str) -> Iterator[str]:
    """Undo the edits of one route's objects; yield for each that can't be why, as a sentence that names it."""
    model = route.declaration.model
    keys = dict(zip(pks(model, [delete.key for delete in deletes]), deletes, strict=True))
    deleted = last_versions(route, [delete.key for delete in deletes])
    for pk, delete in keys.items():
        stored = model._base_manager.select_for_update(of=("self",)).filter(pk=pk).first()
        row = deleted.get(pk) if stored is None else _version_there(route, delete)
        if row is None and stored is None:
            yield _("%(object)s: its history is gone.") % {"object": delete}
        if row is None or (stored is not None and _passes(route, model._default_manager.filter(pk=pk))):
            continue
        try:
            with transaction.atomic():
                go_back(row.instance, stored, user=user, reason=reason[:100])
        except ValidationError as error:
            yield f"{delete}: {' '.join(error.messages)}"


def _version_there(route: Route, delete: Delete) -> Any:
    """Return the history row that the target was last sent, if that passes the route's filter; else None."""
    model = route.declaration.model
    settled_at = Binding.objects.values_list("settled_at", flat=True).get(pk=delete.pk)
    if settled_at is None:
        return None
    [pk] = pks(model, [delete.key])
    history = history_of(model)._default_manager
    rows = history.filter(**{model._meta.pk.attname: pk}, history_date__lte=settled_at).exclude(history_type="-")
    row = rows.order_by("-history_id").first()
    return row if row and _passes(route, history.filter(pk=row.pk)) else None


def _passes(route: Route, rows: "models.QuerySet[Any]") -> bool:
    return rows.filter(**route.filter).exists()


def _refuse_filtered(seen: Review) -> None:
    """Refuse if an object is still not to be at the target: then its route, or that of its parent, was edited."""
    routes, left = RouteMap(seen.target), 0
    for route, deletes in seen.by_route():
        for some in batched(deletes, AT_ONCE):
            rows = Binding.objects.filter(pk__in=[delete.pk for delete in some])
            left += rows.exclude(routes.is_wanted(route)).count()
    if left:
        text = ngettext(
            "%(number)d of these objects would still be excluded by the filter of a route, so nothing was undone. If "
            "the filter is wrong, correct it in the form of the route; it is not part of the history.",
            "%(number)d of these objects would still be excluded by the filter of a route, so nothing was undone. If "
            "the filter is wrong, correct it in the form of the route; it is not part of the history.",
            left,
        )
        raise NotPossibleError(text % {"number": left})


def _record(seen: Review, message: str, user: Any) -> None:
    """Record the decision in the admin's log and end the alert, unless others wait still."""
    if user is not None:
        LogEntry.objects.log_actions(user.pk, [seen.target], CHANGE, localized(message), single_object=True)
    log.info("%s: %s (decided by %s)", seen.target.name, message, by(user))
    if not ceiling.waiting_at(seen.target):
        deletes_decided(seen.target, now=clock.now())
