"""What waits for a person: an object whose edits nothing decides between, or that are not valid together."""

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
    """An object that may wait for a person, as of one moment.

    Attributes:
        replica: stamped, which need not be stored yet.
        row: the object; None: it is not there.
        live: its shared fields.
        merged: what all edits that are known make together.
    """

    route: Route
    replica: Replica
    row: models.Model | None
    live: Content | None
    merged: Outcome

    @property
    def names(self) -> tuple[str, ...]:
        """What can be decided: EXISTS, then fields in the order of their declaration; empty: nothing waits."""
        waiting = {*(self.replica.conflicts or {})}
        if waiting and waiting != {*self.merged.conflicts}:
            waiting |= differing(self.merged.content, self.live) or {*self.route.shared}
        return tuple(name for name in (EXISTS, *self.route.shared) if name in waiting)

    @property
    def token(self) -> str:
        """Another one whenever anything changed that a decision is about."""
        seen = [self.replica.seen, self.replica.fields, self.replica.shadow, self.replica.conflicts]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def route_of(label: str) -> Route:
    """One of the routes that share the model with a peer, which all say the same of it; without any, a bare one."""
    routes = Route.objects.filter(model=label, target__kind=PEER).select_related("target")
    return routes.order_by("pk").first() or Route(model=label)


def look(replica: Replica, *, locks: bool = False) -> Open:
    """The object as it is now; `locks`: and stays until the transaction ends.

    What was edited here since the last time is looked at too, for it may be the decision. Nothing is stored.
    """
    route, key = route_of(replica.model), replica.object_key
    found = lock(route, [key])[key] if locks else Replica.objects.get(pk=replica.pk)
    model = route.declaration.model
    rows = model._default_manager.filter(pk__in=pks(model, [key]))
    row = (rows.select_for_update(of=("self",)) if locks else rows).first()
    stamp_all(route, {key: found}, {} if row is None else {key: row}, me=identity.writer())
    live = content_of(route, row)
    merged = outcome(found.state, rules_of(route, found), live=live)
    return Open(route=route, replica=found, row=row, live=live, merged=merged)


def last_common(now: Open, name: str) -> Any:
    """The newest row of our history that each peer is known to have had, before the edit here that it did not know.

    None: the history has no such row any more, or there never was one.
    """
    known = Binding.objects.filter(
        route__target__kind=PEER,
        route__model=now.route.model,
        object_key=now.replica.object_key,
    )
    common = known.aggregate(least=models.Min("common"))["least"]
    if common is None:
        return None
    model = now.route.declaration.model
    here = {model._meta.pk.attname: pks(model, [now.replica.object_key])[0], "history_id__lte": common}
    edits = now.replica.state.fields.get(name, ())
    # A peer that answered "conflict" has seen our edit too; by its time, which edits carry, it is told from older ones.
    if len(edits) > 1 and (ours := [at for one in edits if one.node == settings.NODE and (at := time_of(one.by))]):
        here["history_date__lt"] = min(ours)
    return history_of(model)._default_manager.filter(**here).order_by("-history_id").first()
