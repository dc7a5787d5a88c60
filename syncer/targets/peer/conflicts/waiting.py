"""Objects in conflict: no rule decides between their edits, or these are not valid together."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models

from backoffice.kit.history import history_of
from syncer.core.merge import EXISTS, Content, Outcome, differing, outcome
from syncer.models import Binding, Replica, Route
from syncer.models.keys import pks
from syncer.targets.peer import PEER, identity
from syncer.targets.peer.message import time_of
from syncer.targets.peer.replicas import lock, rules_of, stamp_all
from syncer.targets.peer.rows import content_of


@dataclass(frozen=True, kw_only=True)
class Open:
    """A snapshot of an object that may wait for a person.

    Attributes:
        replica: stamped, and not necessarily stored.
        row: the object; None if it does not exist.
        live: its shared fields; None if it does not exist.
        merged: the outcome of all known edits.
    """

    route: Route
    replica: Replica
    row: models.Model | None
    live: Content | None
    merged: Outcome

    @property
    def names(self) -> tuple[str, ...]:
        """What can be decided: EXISTS, then fields in the order of their declaration; empty if nothing waits."""
        waiting = {*(self.replica.conflicts or {})}
        if waiting and waiting != {*self.merged.conflicts}:
            waiting |= differing(self.merged.content, self.live) or {*self.route.shared}
        return tuple(name for name in (EXISTS, *self.route.shared) if name in waiting)

    @property
    def token(self) -> str:
        """A digest of everything that a decision depends on."""
        seen = [self.replica.seen, self.replica.fields, self.replica.shadow, self.replica.conflicts]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def route_of(label: str) -> Route:
    """Return a route that shares the model with a peer: all have the same rules. Without any, return an unsaved one."""
    routes = Route.objects.filter(model=label, target__kind=PEER).select_related("target")
    return routes.order_by("pk").first() or Route(model=label)


def look(replica: Replica, *, locks: bool = False) -> Open:
    """Return the object as it is now, stamped, because an edit made here since may be the decision. Nothing is stored.

    Args:
        locks: whether to lock the replica and the object until the transaction ends.
    """
    route, key = route_of(replica.model), replica.object_key
    current = lock(route, [key])[key] if locks else Replica.objects.get(pk=replica.pk)
    model = route.declaration.model
    rows = model._default_manager.filter(pk__in=pks(model, [key]))
    row = (rows.select_for_update(of=("self",)) if locks else rows).first()
    stamp_all(route, {key: current}, {} if row is None else {key: row}, me=identity.writer())
    live = content_of(route, row)
    merged = outcome(current.state, rules_of(route, current), live=live)
    return Open(route=route, replica=current, row=row, live=live, merged=merged)


def last_common(now: Open, name: str) -> Any:
    """Return the last row of our history that every peer is known to have had before the unknown edits of a field here.

    None if there never was such a row, or the history does not have it any more.
    """
    bindings = Binding.objects.filter(
        route__target__kind=PEER,
        route__model=now.route.model,
        object_key=now.replica.object_key,
    )
    common = bindings.aggregate(least=models.Min("common"))["least"]
    if common is None:
        return None
    model = now.route.declaration.model
    before = {model._meta.pk.attname: pks(model, [now.replica.object_key])[0], "history_id__lte": common}
    edits = now.replica.state.fields.get(name, ())
    # A peer that answered "conflict" has seen our edit too, so `common` may include it; its time separates it.
    if len(edits) > 1 and (ours := [at for edit in edits if edit.node == settings.NODE and (at := time_of(edit.by))]):
        before["history_date__lt"] = min(ours)
    return history_of(model)._default_manager.filter(**before).order_by("-history_id").first()
