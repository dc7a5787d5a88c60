"""Decisions that only a person can make: whether a record was made, or is still there.

Constraints:
- Nothing else moves an object that is in doubt: no edit, no retry, no run.
- A decision is about the state that the person saw: it is refused if a worker has claimed the object since.
- A record belongs to one object, so an id that is bound is refused.
- A late worker, whose answer dates from before the decision, settles nothing.

The design: one transaction locks the binding's row, checks it again, writes it, raises its token, and adds the entry
in the admin's log. It also raises `wanted`, so that the next sync compares and sends as usual.
"""

import json
import logging
from datetime import timedelta
from typing import Any, cast

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from backoffice.kit import clock
from syncer.core.errors import NotPossibleError
from syncer.core.ids import ID_LENGTH, NUMBER, encode_id, is_id, spellings
from syncer.core.settle import decided
from syncer.core.state import Question, facts_of, question_of
from syncer.engine.plan import raise_children
from syncer.models import Binding, Route, Target
from syncer.models.binding import ASKED
from syncer.models.routemap import RouteMap
from syncer.targets.rest import REST

log = logging.getLogger("syncer.targets.rest.doubt")


def question(binding: Binding) -> Question | None:
    """Return the question that a person must answer about this binding; None if there is none."""
    if binding.route.target.kind != REST:
        return None
    return question_of(facts_of(binding, timezone.now()))  # this machine's clock will do: no question depends on it


def asked_of(target: Target) -> QuerySet[Binding]:
    """Return the target's bindings about which a person must answer a question, ordered by primary key."""
    bindings = Binding.objects.filter(ASKED, route__target=target, route__target__kind=REST)
    return bindings.select_related("route__target").order_by("pk")


def as_id(*, route: Route, text: str) -> int | str:
    """Return the id that a person means by `text`: `5` is a number, `"5"` and `a5` are texts.

    `5` is a text too if all known ids of the route's records are texts.

    Raises:
        NotPossibleError: the text is not a valid id.
    """
    text = text.strip()[: ID_LENGTH + 1]
    known = Binding.objects.filter(route=route, last_remote_id__isnull=False)
    texts = Q(last_remote_id__startswith='"')
    are_texts = known.filter(texts).exists() and not known.exclude(texts).exists()
    is_json = text.startswith('"') or (NUMBER.fullmatch(text) and not are_texts)
    return decoded(text if is_json else json.dumps(text))


def decoded(encoded: str) -> int | str:
    """Return the id that a JSON text holds.

    Raises:
        NotPossibleError: the text is not JSON, or not a valid id.
    """
    try:
        remote_id: object = json.loads(encoded)
    except ValueError:
        remote_id = None
    if not is_id(remote_id):
        raise NotPossibleError(
            f"{encoded[:ID_LENGTH]} can't be a record's id: give a number, or a text of some characters."
        )
    return cast("int | str", remote_id)


def decide(*, binding: Binding, remote_id: int | str | None, user: Any = None, seen: int | None = None) -> None:
    """Record the id of the object's record, or that it has none.

    What the record holds is not known, so the next sync sends all fields, or deletes the record. An object without a
    record is created again, with a new key, if it is still wanted. Children that were sent an older id of the record
    are planned, so that they are sent this one.

    Args:
        remote_id: the record's id; None if there is no record.
        user: the person who decided; None for a decision at the command line.
        seen: the binding's token when the person looked; None if it is not known.

    Raises:
        NotPossibleError: there is nothing to decide, the binding has changed since the person looked, a worker has
            claimed it, or the id belongs to another object.
    """
    encoded = None if remote_id is None else encode_id(remote_id)
    message = "It is not there." if encoded is None else f"It arrived, its id is {encoded}."
    with transaction.atomic(durable=True):
        rows = Binding.objects.select_for_update(of=("self",), no_key=True).select_related("route__target")
        row = rows.get(pk=binding.pk)
        _refuse(row, seen)
        changes = decided(encoded)
        try:
            with transaction.atomic():
                Binding.objects.filter(pk=row.pk).update(**changes, token=F("token") + 1, wanted=F("wanted") + 1)
        except IntegrityError as error:
            owner = Binding.objects.filter(route=row.route, remote_id__in=spellings(str(encoded))).first()
            raise NotPossibleError(
                f"{remote_id} is the record of {owner} already; a record belongs to one object."
            ) from error
        if encoded is not None and row.last_remote_id not in (None, encoded):
            raise_children(RouteMap(row.route.target), row.route, [row.object_key])
        if user is not None:
            LogEntry.objects.log_actions(user.pk, [row], CHANGE, message, single_object=True)
    log.info("%s at %s: %s (decided by %s)", row, row.route.target.name, message, user or "command")


def _refuse(row: Binding, seen: int | None) -> None:
    target, now = row.route.target, clock.now()
    if seen is not None and row.token != seen:
        raise NotPossibleError(f"{row} has moved on since you looked. Look at it again, then decide.")
    if row.lease_until is not None and row.lease_until > now:
        seconds = (row.lease_until - now) // timedelta(seconds=1) + 1
        raise NotPossibleError(f"A worker has {row} now. Look at it again in {seconds} s, then decide.")
    if question(row) is None:
        raise NotPossibleError(f"{row} is not in doubt at {target}: there is nothing to decide.")
