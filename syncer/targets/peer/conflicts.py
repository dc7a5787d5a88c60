"""Objects in conflict, and the decisions of people that resolve them.

An object is in conflict if no rule decides between its edits, or if these are not valid together.

Constraints of a decision:
- A decision applies to what the person saw: if a peer or a form changed the object since, nothing is decided.
- It overrules every other edit of the decided fields, even where it changes nothing here; otherwise the other end would
  keep asking.
- It is an edit like any other: valid as a whole, within the person's permissions, in the history with name and reason.
- A change that was made here and not stamped yet is not lost.

The design, in one transaction: lock the replica, then the row; stamp; compare with what the person saw; make the
decided values an edit, and merge all edits into the object; write it through the model's `save()` or `delete()`; store
the replica; raise the object for every peer, since the history does not name an object that was not written.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from backoffice.kit import clock, context
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.history import history_of
from backoffice.kit.logs import by
from backoffice.kit.permissions import Person, as_error, refusals
from syncer.core.errors import NotPossibleError
from syncer.core.merge import ASK, EXISTS, By, Content, Outcome, differing, outcome, overrule
from syncer.engine.plan import raise_keys
from syncer.engine.wake import wake_followers
from syncer.models import Binding, Replica, Route
from syncer.models.backlog import stopped
from syncer.models.keys import json_value, pks
from syncer.targets.peer import PEER, identity
from syncer.targets.peer.message import time_of
from syncer.targets.peer.replicas import lock, rules_of, stamp_all, store
from syncer.targets.peer.rows import (
    REFUSED,
    Account,
    Faults,
    column_of,
    content_of,
    faults_of,
    live_rows,
    newest_history,
    row_of,
    write_of,
)

log = logging.getLogger("syncer.targets.peer")


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

    @cached_property
    def faults(self) -> Faults:
        """What the object's own rules find wrong with the outcome, in the reader's language."""
        row, faults = row_of(self.route, self.replica.object_key, self.row, self.live, self.merged.content)
        return faults or ({} if row is None else faults_of(row, whole=True))

    def wrong(self, name: str) -> str:
        """Return why the outcome is not valid in a field, or under "" as a whole; empty if it is.

        What something else than the object's own rules refused is told as it was then, in English.
        """
        stored = (self.replica.conflicts or {}).get(name, ASK)
        return "" if stored == ASK else " ".join(self.faults.get(name, [stored]))

    @property
    def token(self) -> str:
        """A digest of everything that a decision depends on."""
        seen = [self.replica.seen, self.replica.fields, self.replica.shadow, self.replica.conflicts]
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def look(replica: Replica, *, locks: bool = False) -> Open:
    """Return the object as it is now, stamped, because an edit made here since may be the decision. Nothing is stored.

    Args:
        locks: whether to lock the replica and the object until the transaction ends.
    """
    key, routes = replica.object_key, Route.objects.filter(model=replica.model, target__kind=PEER)
    # Any route that shares the model with a peer will do: all have the same rules.
    route = routes.select_related("target").order_by("pk").first() or Route(model=replica.model)
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


class OvertakenError(NotPossibleError):
    """The object has changed since the person saw it."""


def conflict_decide(*, replica: Replica, values: Mapping[str, Any], user: Any, reason: str = "", token: str) -> None:
    """Resolve an object's conflict: give it `values`, whatever both ends edited.

    Args:
        values: by field; under EXISTS, whether the object is to exist. A decision about a field keeps the object.
        token: the token of the `Open` that the person saw.

    Raises:
        OvertakenError: the object changed since; nothing was decided.
        NotPossibleError: a field does not wait for a decision, or the route is stopped.
        PermissionDenied: `user` may not do that with such objects.
        ValidationError: by field, the values that are not valid, or that `user` may not set.
    """
    with transaction.atomic():
        now = look(replica, locks=True)
        if why := stopped(now.route):
            raise NotPossibleError(why)
        if now.token != token:
            text = _("%(object)s has changed since you looked. Look at it again, then decide.")
            raise OvertakenError(text % {"object": replica})
        if not values or not {*values} <= {*now.names}:
            raise NotPossibleError(_("%(object)s: this does not wait for a decision.") % {"object": replica})
        _decide(now, values, user=user, reason=reason)
        message = _("Decided: %(names)s.") % {"names": ", ".join(values)}
        LogEntry.objects.log_actions(user.pk, [now.replica], CHANGE, message, single_object=True)
        record(Action.DECIDED, now.replica, actor=user, decision="conflict", fields=sorted(values))
    log.info("%s: decided %s (by %s)", replica, ", ".join(values), by(user))


def _decide(now: Open, values: Mapping[str, Any], *, user: Account, reason: str) -> None:
    """Write the decided object, its replica and its bindings."""
    route, replica = now.route, now.replica
    wanted = _as_json(route, values)
    rules, me = rules_of(route, replica), identity.writer()
    by = By(user=user.get_username(), reason=reason, at=clock.now().isoformat(timespec="milliseconds"))
    authors = dict.fromkeys({*wanted, EXISTS}, by)
    merged = outcome(overrule(replica.state, wanted, me=me, by=authors), rules, live=now.live)
    row, faults = row_of(route, replica.object_key, now.row, now.live, merged.content)
    if row is not None and row is not now.row:
        _raise_faults(faults or faults_of(row, whole=True))
    _check_permissions(now, row, user)
    _write(now, row, user=user, reason=reason)
    # `save()` may have changed values: the edit holds what was stored.
    live = content_of(route, live_rows(route, [replica.object_key]).get(replica.object_key))
    held = {name: value if name == EXISTS or live is None else live[name] for name, value in wanted.items()}
    replica.take(overrule(replica.state, held, me=me, by=authors), live)
    replica.read = newest_history(route, [replica.object_key]).get(replica.object_key, replica.read)
    replica.conflicts = dict.fromkeys(merged.conflicts, ASK) or None
    replica.conflict_at = replica.conflict_at if replica.conflicts else None
    store([replica])
    for peer_route in Route.objects.filter(model=route.model, target__kind=PEER).order_by("pk"):
        raise_keys(peer_route, [replica.object_key])
    transaction.on_commit(lambda: wake_followers(route.model), robust=True)


def _as_json(route: Route, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as replicas store them; only EXISTS if the object is to be deleted.

    Raises:
        ValidationError: by field, the values that its column does not accept.
    """
    json_values: dict[str, Any] = {}
    faults: Faults = {}
    for name, value in values.items():
        if name == EXISTS:
            json_values[name] = bool(value)
            continue
        try:
            json_values[name] = json_value(column_of(route.declaration.model, name).to_python(value))
        except ValidationError as error:
            faults[name] = error.messages
    _raise_faults(faults)
    if json_values.get(EXISTS, True) is False:
        return {EXISTS: False}
    return json_values


def _check_permissions(now: Open, row: models.Model | None, user: Account) -> None:
    """Check the write as every other entry point does.

    Raises:
        PermissionDenied, ValidationError: see `conflict_decide`.
    """
    refused = refusals(write_of(now.route, row, now.row), Person(user))
    if of_object := [refusal.message for refusal in refused if not refusal.field]:
        raise PermissionDenied(" ".join(of_object))
    if refused:
        raise as_error(refused)


def _write(now: Open, row: models.Model | None, *, user: Account, reason: str) -> None:
    if row is now.row:
        return
    written: Any = now.row if row is None else row
    try:
        with context.caused_by(replace(context.cause(), user=lambda: user, reason=reason)):
            written.delete() if row is None else written.save(force_insert=now.row is None)
    except REFUSED as error:
        why = str(error.args[0]).splitlines()[0]
        raise ValidationError(_("Not possible here: %(why)s") % {"why": why}) from error


def _raise_faults(faults: Faults) -> None:
    if faults:
        raise ValidationError({name or NON_FIELD_ERRORS: texts for name, texts in faults.items()})
