"""Erasing what the engine keeps of objects whose texts had to go.

Constraints:
- What was sent is in `agreed`, in the body of an unanswered create and in attempts; parts of answers are in reasons,
  in the sentences of runs and in what a target is blocked for.
- A worker may be sending the old words right now, and writes what it sent when the answer comes.
- A create is never sent twice on a guess: its body is what it is found again by.

The design: the bindings are taken in the order of their keys and their tokens raised, so that a worker that still holds
one can't settle it, and keeps nothing of the exchange (`settling`). `agreed` becomes unknown, so the target is sent the
object as it is now. The body of an unanswered create keeps the columns that are not personal; where the route looks
records up by one that is, a person decides.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Cast, Collate

from backoffice.kit.erasure import ERASED, Words, erase_in
from syncer.core.outcome import unquoted
from syncer.models import Attempt, Binding, Replica, Route, Run, Target

IN_DOUBT = "a create was not answered, and what it could be found by was erased"


@dataclass(frozen=True, kw_only=True)
class Erased:
    """The objects whose words go.

    Attributes:
        model: of which model they are.
        keys: a query of their primary keys.
        fields: the columns that were erased, such as `{"text"}`.
    """

    model: type[models.Model]
    keys: "QuerySet[Any, Any]"
    fields: Collection[str]


def erase_objects(erased: Erased) -> int:
    """Erase what was sent of these objects, in the caller's transaction; how many bindings they had.

    Nothing is searched for: all that was sent of them, or answered, goes.
    """
    _erase_replicas(erased)
    routes = list(Route.objects.filter(model=erased.model._meta.label).select_related("target"))
    return sum(_erase_route(route, erased) for route in routes)


def _erase_route(route: Route, erased: Erased) -> int:
    pk = erased.model._meta.pk.attname
    keys = erased.keys.order_by().values_list(Cast(pk, models.CharField()))
    rows = Binding.objects.filter(route=route, object_key__in=keys)
    _lock(rows)
    for binding in rows.filter(create_body__isnull=False):
        _erase_create(route, binding, erased.fields)
    taken = rows.update(token=F("token") + 1, agreed=None)
    for binding in rows.filter(reason__contains=": "):
        rows.filter(pk=binding.pk).update(reason=unquoted(binding.reason))
    _erase_attempts(route, rows)
    return taken


def _erase_replicas(erased: Erased) -> None:
    """What peers handed in, or are to be handed. Without its shadow the column counts as edited, so its new text goes
    to them; what they keep of the old one is theirs to erase."""
    keys = erased.keys.order_by().values_list(Cast(erased.model._meta.pk.attname, models.CharField()))
    found = Replica.objects.filter(model=erased.model._meta.label, object_key__in=keys)
    for row in found.select_for_update(of=("self",)).order_by("pk"):
        if row.shadow is not None:
            row.shadow = {name: value for name, value in row.shadow.items() if name not in erased.fields}
        for name in {*row.fields} & {*erased.fields}:
            row.fields[name] = [[*edit[:2], ERASED, *edit[3:]] for edit in row.fields[name]]
        row.conflicts = {name: unquoted(why) for name, why in row.conflicts.items()} if row.conflicts else None
        row.save(update_fields=["shadow", "fields", "conflicts"])


def _lock(rows: "QuerySet[Binding]") -> None:
    """In the order in which every writer of several bindings takes them, so that two never wait in a circle."""
    key = Collate("object_key", "C") if connection.vendor == "postgresql" else F("object_key")
    ordered = rows.order_by(key).select_for_update(of=("self",)).values_list("pk", flat=True)
    for _ in ordered:
        pass


def _erase_create(route: Route, binding: Binding, fields: Collection[str]) -> None:
    kept = {name for name, field in route.fields.items() if field not in fields}
    body = {name: value for name, value in (binding.create_body or {}).items() if name in kept}
    can_be_found = set(route.lookup) <= kept
    doubt = {} if can_be_found else {"in_doubt": True, "reason": IN_DOUBT}
    # What is left of it is not what was sent under the key, so it can't be sent again under it.
    Binding.objects.filter(pk=binding.pk).update(create_body=body, create_at=None, create_path="", **doubt)


def _erase_attempts(route: Route, rows: "QuerySet[Binding]") -> None:
    """Of a look-up for another object too: its answer lists records of any."""
    attempts = Attempt.objects.filter(binding__route=route)
    own = attempts.filter(binding__in=rows.values("pk"))
    looked_up = attempts.filter(action=Attempt.Action.LOOKUP)
    own.filter(request__isnull=False).update(request={"erased": True})
    for found in (own, looked_up):
        found.exclude(answer="").update(answer=ERASED)
    # A create's address may name columns, and a look-up's the next page.
    named = Q(action__in=[Attempt.Action.CREATE, Attempt.Action.LOOKUP]) & ~Q(url=route.target.url + route.path)
    for found in (own, looked_up):
        found.filter(named).update(url=ERASED)


def erase_words(words: Words) -> int:
    """An eraser, of what the engine tells people in sentences, and of attempts that name the person elsewhere."""
    # Bindings before their target, as those who settle take them.
    changed = sum(
        _unquote(model, column, words) for model, column in ((Run, "message"), (Binding, "reason"), (Target, "blocked"))
    )
    # Attempts are too many to be read: the database looks for the names, and no attempt has a text without its route.
    named = Q()
    for name in words.spellings:
        named |= Q(answer__contains=name) | Q(url__contains=name)
    return changed + erase_in(Attempt.objects.filter(named), ("url", "request", "answer"), words, cut=True)


def _unquote(model: type[models.Model], column: str, words: Words) -> int:
    """Take from sentences what they quote of an answer, where the words are in it."""
    rows = model._default_manager.filter(**{f"{column}__contains": ": "})
    found = [(pk, text) for pk, text in rows.values_list("pk", column) if words.are_in(text, cut=True)]
    for pk, text in found:
        rows.filter(pk=pk).update(**{column: words.erased(unquoted(text), cut=True)})
    return len(found)
