"""What only a person can decide of an object that two nodes edited, and how it is decided.

Constraints:
- A decision is about what its person saw: if either end, or a form, changed the object since, nothing is decided.
- It covers every edit that stands beside it, also where it changes nothing here; else the other end would go on asking.
- It is an edit like any other: valid as a whole, within what the person may do, in the history with name and reason.
- What was edited here and not looked at yet is not lost.

The design, in one transaction: lock the replica, then the row; stamp; compare with what was seen; make of the decided
values an edit, and of all edits the object that it is to be; write that through the model's `save()` or `delete()`;
store the replica; raise the object for every peer, for where nothing was written no history names it.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import models, transaction

from backoffice.kit import clock, context
from backoffice.kit.permissions import Person, as_error, refusals
from syncer.core.errors import NotPossibleError
from syncer.core.merge import ASK, EXISTS, By, Content, outcome, overrule
from syncer.engine.plan import raise_keys
from syncer.engine.wake import wake_followers
from syncer.models import Replica, Route
from syncer.models.backlog import stopped
from syncer.models.keys import json_value
from syncer.targets.peer import PEER, identity
from syncer.targets.peer.conflicts.waiting import Open, look
from syncer.targets.peer.inbound.permissions import write_of
from syncer.targets.peer.inbound.writing import REFUSED
from syncer.targets.peer.replicas import rules_of, store
from syncer.targets.peer.rows import Faults, content_of, faults_of, live_rows, newest_history, row_of

log = logging.getLogger("syncer.targets.peer")


class OvertakenError(NotPossibleError):
    """The object is not what the person saw any more."""


def conflict_decide(*, replica: Replica, values: Mapping[str, Any], user: Any, reason: str = "", token: str) -> None:
    """Let the object hold `values`, whatever both ends edited.

    Args:
        values: by field; under EXISTS whether it is to be there. To decide of a field is to keep the object.
        token: of what the person saw, see `Open`.

    Raises:
        OvertakenError: it changed since; nothing was decided.
        NotPossibleError: it is none of what waits.
        PermissionDenied: `user` may not do that with such objects.
        ValidationError: by field, what would not be valid or is not theirs to set.
    """
    with transaction.atomic():
        now = look(replica, locks=True)
        if why := stopped(now.route):
            raise NotPossibleError(why)
        if now.token != token:
            raise OvertakenError(f"{replica} has changed since you looked. Look at it again, then decide.")
        if not values or not {*values} <= {*now.names}:
            raise NotPossibleError(f"{replica}: this does not wait for a decision.")
        _decide(now, values, user=user, reason=reason)
        said = f"Decided: {', '.join(values)}."
        LogEntry.objects.log_actions(user.pk, [now.replica], CHANGE, said, single_object=True)
    log.info("%s: decided %s (by %s)", replica, ", ".join(values), user)


def _decide(now: Open, values: Mapping[str, Any], *, user: Any, reason: str) -> None:
    route, replica = now.route, now.replica
    wanted = _as_json(route, values)
    rules, me = rules_of(route, replica), identity.writer()
    by = By(user=user.get_username(), reason=reason, at=clock.now().isoformat(timespec="milliseconds"))
    who = dict.fromkeys({*wanted, EXISTS}, by)
    found = outcome(overrule(replica.state, wanted, me=me, by=who), rules, live=now.live)
    row = _row(now, found.content)
    _check(now, row, user)
    _write(now, row, user=user, reason=reason)
    live = content_of(route, live_rows(route, [replica.object_key]).get(replica.object_key))
    held = {name: value if name == EXISTS or live is None else live[name] for name, value in wanted.items()}
    replica.take(overrule(replica.state, held, me=me, by=who), live)
    replica.read = newest_history(route, [replica.object_key]).get(replica.object_key, replica.read)
    replica.conflicts = dict.fromkeys(found.conflicts, ASK) or None
    replica.conflict_at = replica.conflict_at if replica.conflicts else None
    store([replica])
    _tell_peers(route, replica.object_key)


def _as_json(route: Route, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as replicas hold them.

    Raises:
        ValidationError: by field, of those that can't be such a field's.
    """
    found: dict[str, Any] = {}
    faults: Faults = {}
    for name, value in values.items():
        try:
            column = None if name == EXISTS else route.declaration.model._meta.get_field(name)
            found[name] = bool(value) if column is None else json_value(column.to_python(value))  # type: ignore[union-attr]
        except ValidationError as error:
            faults[name] = error.messages
    _refuse(faults)
    if found.get(EXISTS, True) is False:
        return {EXISTS: False}
    return found


def _row(now: Open, content: Content | None) -> models.Model | None:
    """The object as it is to be, not saved; the very same one where nothing differs."""
    row, faults = row_of(now.route, now.replica.object_key, now.row, now.live, content)
    if row is not None and row is not now.row:
        _refuse(faults or faults_of(row, whole=True))
    return row


def _check(now: Open, row: models.Model | None, user: Any) -> None:
    """As at every other entry point.

    Raises:
        PermissionDenied, ValidationError: see `conflict_decide`.
    """
    found = refusals(write_of(now.route, row, now.row), Person(user))
    if whole := [one.message for one in found if not one.field]:
        raise PermissionDenied(" ".join(whole))
    if found:
        raise as_error(found)


def _write(now: Open, row: models.Model | None, *, user: Any, reason: str) -> None:
    if row is now.row:
        return
    written: Any = now.row if row is None else row
    try:
        with context.caused_by(replace(context.cause(), user=lambda: user, reason=reason)):
            written.delete() if row is None else written.save(force_insert=now.row is None)
    except REFUSED as error:
        raise ValidationError(f"Not possible here: {str(error.args[0]).splitlines()[0]}") from error


def _tell_peers(route: Route, key: str) -> None:
    for one in Route.objects.filter(model=route.model, target__kind=PEER).order_by("pk"):
        raise_keys(one, [key])
    transaction.on_commit(lambda: wake_followers(route.model), robust=True)


def _refuse(faults: Faults) -> None:
    if faults:
        raise ValidationError({name or NON_FIELD_ERRORS: texts for name, texts in faults.items()})
