"""What only a person can know: whether a record was made, or is still there. And the two honest ways out.

Constraints:
- Nothing else moves an object that is in doubt: no edit, no retry, no run.
- A decision is about what its person saw. If a worker had the object since, or has it now, nothing is decided.
- A record belongs to one object, so an id that is bound is refused.
- A worker that is late with what it was told before the decision settles nothing.

The design: the binding's row is locked, looked at again, written and its token raised, in one transaction with the
entry in the admin's log. `wanted` is raised, so that the ordinary way does the rest: it compares and sends.
"""

import json
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from backoffice.kit import clock
from syncer.core.decide import Changes
from syncer.core.errors import NotPossibleError
from syncer.core.lookup import ID_LENGTH, decode_id, encode_id, is_id
from syncer.core.settle import decided
from syncer.core.state import Question, facts_of, question_of
from syncer.engine.plan import raise_children
from syncer.models import Binding, Route, Target, state
from syncer.models.routemap import RouteMap
from syncer.targets.rest import REST

log = logging.getLogger("syncer.targets.rest.doubt")
NUMBER = re.compile(r"-?(0|[1-9]\d*)")  # as JSON writes a whole number


def question(binding: Binding) -> Question | None:
    """What a person must decide of this binding; None: nothing."""
    if binding.route.target.kind != REST:
        return None
    return question_of(
        facts_of(binding, timezone.now())
    )  # whose clock it is does not matter: no question asks the time


def asked_of(target: Target) -> QuerySet[Binding]:
    """The bindings of which a person must decide something."""
    asked = Binding.objects.filter(state.ASKED, route__target=target, route__target__kind=REST)
    return asked.select_related("route__target").order_by("pk")


def as_id(*, route: Route, text: str) -> int | str:
    """The id that a person means by `text`: `5` is a number, `"5"` and `a5` are texts.

    `5` is a text too where all records of the route have texts for ids.

    Raises:
        NotPossibleError: it is no id.
    """
    text = text.strip()[: ID_LENGTH + 1]
    is_json = text.startswith('"') or (NUMBER.fullmatch(text) and not _has_texts_only(route))
    return decoded(text if is_json else json.dumps(text))


def decoded(encoded: str) -> int | str:
    """The id that this JSON says.

    Raises:
        NotPossibleError: it is no JSON, or no id.
    """
    try:
        found = json.loads(encoded)
    except ValueError:
        found = None
    if not is_id(found):
        raise NotPossibleError(
            f"{encoded[:ID_LENGTH]} can't be a record's id: give a number, or a text of some characters."
        )
    return found  # type: ignore[no-any-return]


def _has_texts_only(route: Route) -> bool:
    known = Binding.objects.filter(route=route, last_remote_id__isnull=False)
    texts = Q(last_remote_id__startswith='"')
    return known.filter(texts).exists() and not known.exclude(texts).exists()


def arrived(*, binding: Binding, remote_id: int | str, user: Any = None, seen: int | None = None) -> None:
    """It is there, and this is its record's id. What the record holds is not known: it is sent all, or deleted.

    Args:
        user: who decided; None: somebody at the command line.
        seen: the binding's token when they looked; None: it is not known.

    Raises:
        NotPossibleError: the id is another object's, or see `_decide`.
    """
    encoded = encode_id(remote_id)

    def children(row: Binding) -> None:
        if row.last_remote_id not in (None, encoded):
            raise_children(RouteMap(row.route.target), row.route, [row.object_key])

    _decide(binding, encoded, f"It arrived, its id is {encoded}.", user=user, seen=seen, also=children)


def not_arrived(*, binding: Binding, user: Any = None, seen: int | None = None) -> None:
    """It is not there: it is created again, with a new key, if it is still to be there.

    Args and Raises: as `arrived`.
    """
    _decide(binding, None, "It is not there.", user=user, seen=seen, also=lambda _: None)


def _decide(
    binding: Binding, remote_id: str | None, said: str, *, user: Any, seen: int | None, also: Callable[[Binding], None]
) -> None:
    """Write what was decided.

    Raises:
        NotPossibleError: there is nothing to decide, it moved on since it was looked at, or a worker has it.
    """
    with transaction.atomic(durable=True):
        rows = Binding.objects.select_for_update(of=("self",), no_key=True).select_related("route__target")
        row = rows.get(pk=binding.pk)
        _refuse(row, seen)
        _write(row, decided(remote_id))
        also(row)
        if user is not None:
            LogEntry.objects.log_actions(user.pk, [row], CHANGE, said, single_object=True)
    log.info("%s at %s: %s (decided by %s)", row, row.route.target.name, said, user or "command")


def _refuse(row: Binding, seen: int | None) -> None:
    target, now = row.route.target, clock.now()
    if seen is not None and row.token != seen:
        raise NotPossibleError(f"{row} has moved on since you looked. Look at it again, then decide.")
    if row.lease_until is not None and row.lease_until > now:
        seconds = (row.lease_until - now) // timedelta(seconds=1) + 1
        raise NotPossibleError(f"A worker has {row} now. Look at it again in {seconds} s, then decide.")
    if question(row) is None:
        raise NotPossibleError(f"{row} is not in doubt at {target}: there is nothing to decide.")


def _write(row: Binding, changes: Changes) -> None:
    try:
        with transaction.atomic():
            Binding.objects.filter(pk=row.pk).update(**changes, token=F("token") + 1, wanted=F("wanted") + 1)
    except IntegrityError as error:
        other = Binding.objects.filter(route=row.route, remote_id=changes["remote_id"]).first()
        shown = decode_id(changes["remote_id"])
        raise NotPossibleError(f"{shown} is the record of {other} already; a record belongs to one object.") from error
