"""Decisions that only a person can make: whether a record was made, or is still there, and which one is an object's.

Constraints:
- Nothing else moves an object that is in doubt: no edit, no retry, no run.
- A record whose id is known is not made twice, and linking an object does not delete what it is linked to.
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
from django.utils.translation import gettext as _

from backoffice.kit import clock
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.logs import by
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import phrase
from syncer.core.errors import NotPossibleError
from syncer.core.ids import ID_LENGTH, NUMBER, decode_id, encode_id, is_id, spellings
from syncer.core.settle import decided
from syncer.core.state import Question, facts_of, question_of
from syncer.engine.plan import raise_children, raise_keys
from syncer.models import Binding, Route, Target
from syncer.models.binding import ASKED
from syncer.models.keys import pks
from syncer.models.routemap import RouteMap
from syncer.targets.rest import REST
from syncer.targets.rest.proof import beside

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
            _("%(id)s can't be a record's id: give a number, or a text of some characters.")
            % {"id": encoded[:ID_LENGTH]}
        )
    return cast("int | str", remote_id)


def binding_of(*, route: Route, key: str) -> Binding:
    """Return the binding of an object, which may be a new one: what was never planned can be linked too.

    Raises:
        NotPossibleError: the target is a peer, or the object was never planned and is not here.
    """
    if route.target.kind != REST:
        raise NotPossibleError(_nothing_to_link(route.target))
    bindings = Binding.objects.filter(route=route, object_key=key).select_related("route__target")
    if (binding := bindings.first()) is not None:
        return binding
    model = route.declaration.model
    if not model._default_manager.filter(pk__in=pks(model, [key])).exists():
        text = _("There is no %(object)s here, and %(target)s was never sent one.")
        raise NotPossibleError(text % {"object": f"{route.model}:{key}", "target": route.target})
    raise_keys(route, [key], by=0)
    return bindings.get()


def decide(*, binding: Binding, remote_id: int | str | None, user: Any = None, seen: int | None = None) -> None:
    """Answer the question about an object: record the id of its record, or that it has none.

    Args:
        remote_id: the record's id; None if there is no record.
        user: the person who decided; None for a decision at the command line.
        seen: the binding's token when the person looked; None if it is not known.

    Raises:
        NotPossibleError: there is no question, or as for `link`.
    """
    _record(binding, remote_id, user, seen, is_asked=True)


def link(*, binding: Binding, remote_id: int | str | None, user: Any = None, seen: int | None = None) -> None:
    """Record the id of an object's record, or that it has none, whether or not there is a question about it.

    What the record holds is not known, so the next sync sends all fields, or deletes the record. An object without a
    record is created again, with a new key, if it is still wanted. Children that were sent an older id of the record
    are planned, so that they are sent this one.

    Args:
        remote_id, user, seen: as for `decide`.

    Raises:
        NotPossibleError: the binding has changed since the person looked, a worker has claimed it, the id belongs to
            another object, the object is not to be at the target, or its record is known.
    """
    _record(binding, remote_id, user, seen, is_asked=False)


def _record(binding: Binding, remote_id: int | str | None, user: Any, seen: int | None, *, is_asked: bool) -> None:
    encoded = None if remote_id is None else encode_id(remote_id)
    message = phrase("Its record is %(id)s.", id=encoded) if encoded else phrase("It is not there.")
    with transaction.atomic(durable=True):
        rows = Binding.objects.select_for_update(of=("self",), no_key=True).select_related("route__target")
        row = rows.get(pk=binding.pk)
        if is_asked and question(row) is None:
            text = _("%(object)s is not in doubt at %(target)s: there is nothing to decide.")
            raise NotPossibleError(text % {"object": row, "target": row.route.target})
        check(binding=row, remote_id=remote_id, seen=seen)
        changes = decided(encoded)
        try:
            with transaction.atomic():
                Binding.objects.filter(pk=row.pk).update(**changes, token=F("token") + 1, wanted=F("wanted") + 1)
        except IntegrityError as error:  # another person was quicker
            raise NotPossibleError(_taken(row, str(encoded))) from error
        if encoded is not None and row.last_remote_id not in (None, encoded):
            raise_children(RouteMap(row.route.target), row.route, [row.object_key])
        record(Action.DECIDED, row, actor=user, decision="link" if encoded else "not there")
        if user is not None:
            LogEntry.objects.log_actions(user.pk, [row], CHANGE, localized(message), single_object=True)
    decision = "it is not there" if encoded is None else "linked"  # the target's id may hold content
    log.info("%s at %s: %s (decided by %s)", row, row.route.target.name, decision, by(user))


def check(*, binding: Binding, remote_id: int | str | None, seen: int | None = None) -> None:
    """Check that a person may record this id, or (None) that there is no record; the arguments are those of `link`.

    A record whose id is known can be exchanged for another, but not be denied: it would be created twice.

    Raises:
        NotPossibleError: see `link`.
    """
    target, now = binding.route.target, clock.now()
    words = {"object": binding, "target": target, "record": binding.record}
    facts = facts_of(binding, now)
    is_uncertain = facts.failed or facts.rejected or facts.in_doubt or binding.unconfirmed
    if target.kind != REST:
        why = _nothing_to_link(target)
    elif seen is not None and binding.token != seen:
        why = _("%(object)s has moved on since you looked. Look at it again, then decide.") % words
    elif binding.lease_until is not None and binding.lease_until > now:
        seconds = (binding.lease_until - now) // timedelta(seconds=1) + 1
        text = _("A worker has %(object)s now. Look at it again in %(seconds)s s, then decide.")
        why = text % {**words, "seconds": seconds}
    elif remote_id is None and facts.bound and not is_uncertain:
        why = _("%(object)s has the record %(record)s at %(target)s, and nothing says that it is gone.") % words
    elif remote_id is not None and not facts.bound and question(binding) is None and not is_wanted(binding):
        text = _("%(object)s is not to be at %(target)s: the next sync would delete the record that it is linked to.")
        why = text % words
    else:
        why = "" if remote_id is None else _taken(binding, encode_id(remote_id))
    if why:
        raise NotPossibleError(why)


def _nothing_to_link(target: Target) -> str:
    text = _("%(target)s is a peer: objects have the same key at both ends, so that there is nothing to link.")
    return text % {"target": target}


def _taken(binding: Binding, remote_id: str) -> str:
    """Return that another object has this record, as a sentence; empty if none has it."""
    others = beside(binding.route).filter(remote_id__in=spellings(remote_id)).exclude(pk=binding.pk)
    owner = others.select_related("route").first()
    if owner is None:
        return ""
    text = _("%(record)s is the record of %(owner)s already; a record belongs to one object.")
    return text % {"record": decode_id(remote_id), "owner": owner}


def is_wanted(row: Binding) -> bool:
    """Return whether the object is to be at the target.

    Raises:
        TargetStoppedError: the target's routes can't be read, see `RouteMap`.
    """
    keys = pks(row.route.declaration.model, [row.object_key])
    return RouteMap(row.route.target).wanted(row.route).filter(pk__in=keys).exists()
