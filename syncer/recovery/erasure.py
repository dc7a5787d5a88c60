"""Erases what the engine stores of objects whose texts were erased.

Constraints:
- Payloads are in `agreed`, in the body of an unanswered create and in attempts; parts of answers are in the reasons of
  bindings, the messages of runs and the `blocked` column of targets.
- A worker may be sending the old text right now, and would store it when the answer arrives.
- A create is never sent twice on a guess: its record is found by its body.

Design: the bindings are locked in the order of their keys and their tokens increased, so that a worker that still
holds one can't settle it, and stores nothing of the exchange (`settling`). `agreed` becomes unknown, so that the target
is sent the object as it is now. The body of an unanswered create keeps the columns that are not personal; where the
route looks records up by one that is, a person decides.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Cast, Collate

from backoffice.kit.erasure import ERASED, Words, erase_in
from backoffice.kit.phrases import mapped, phrase
from syncer.core.outcome import unquoted
from syncer.models import Attempt, Binding, Replica, Route, Run, Target

IN_DOUBT = phrase("a create was not answered, and what it could be found by was erased")


@dataclass(frozen=True, kw_only=True)
class Erased:
    """The objects in the queryset `keys`, of which some columns were erased, such as `{"text"}`."""

    model: type[models.Model]
    keys: "QuerySet[Any, Any]"
    fields: Collection[str]


def erase_objects(erased: Erased) -> int:
    """Erase all that was sent or answered of these objects, without a search for words; return how many bindings.

    The caller opens the transaction.
    """
    keys = erased.keys.order_by().values_list(Cast(erased.model._meta.pk.attname, models.CharField()))
    label = erased.model._meta.label
    _erase_replicas(Replica.objects.filter(model=label, object_key__in=keys), erased.fields)
    count = 0
    for route in Route.objects.filter(model=label).select_related("target"):
        bindings = Binding.objects.filter(route=route, object_key__in=keys)
        _lock(bindings)
        for binding in bindings.filter(create_body__isnull=False):
            _erase_create(route, binding, erased.fields)
        count += bindings.update(token=F("token") + 1, agreed=None, candidates=None)
        for binding in bindings.filter(reason__contains=": "):
            bindings.filter(pk=binding.pk).update(reason=unquoted(binding.reason))
        _erase_attempts(route, bindings)
    return count


def _erase_replicas(replicas: QuerySet[Replica], fields: Collection[str]) -> None:
    """Erase the values of edits that peers sent, or are to be sent.

    A column that is missing in the shadow counts as edited, so that its new text is sent to peers. The old text that
    they still store has to be erased there.
    """
    for replica in replicas.select_for_update(of=("self",)).order_by("pk"):
        if replica.shadow is not None:
            replica.shadow = {name: value for name, value in replica.shadow.items() if name not in fields}
        for name in {*replica.fields} & {*fields}:
            replica.fields[name] = [[*edit[:2], ERASED, *edit[3:]] for edit in replica.fields[name]]
        replica.conflicts = {name: unquoted(why) for name, why in (replica.conflicts or {}).items()} or None
        replica.save(update_fields=["shadow", "fields", "conflicts"])


def _lock(bindings: QuerySet[Binding]) -> None:
    """Lock bindings in the order that every writer of several bindings keeps, so that there are no deadlocks."""
    key = Collate("object_key", "C") if connection.vendor == "postgresql" else F("object_key")
    list(bindings.order_by(key).select_for_update(of=("self",)).values_list("pk", flat=True))


def _erase_create(route: Route, binding: Binding, fields: Collection[str]) -> None:
    """Erase columns from the body of an unanswered create; without its lookup, a person decides."""
    sources, sent_as = route.declaration.sources, binding.create_as or {}
    sent, lookup = sent_as.get("fields") or route.fields, sent_as.get("lookup") or route.lookup
    kept = {name for name, field in sent.items() if not {*sources(field)} & {*fields}}
    body = {name: value for name, value in (binding.create_body or {}).items() if name in kept}
    can_look_up = set(lookup) <= kept
    doubt = {} if can_look_up else {"in_doubt": True, "reason": IN_DOUBT}
    # The remaining body is not the one that was sent under the key, so it can't be replayed.
    Binding.objects.filter(pk=binding.pk).update(create_body=body, create_at=None, create_path="", **doubt)


def _erase_attempts(route: Route, bindings: QuerySet[Binding]) -> None:
    """Erase the attempts of these bindings, and the answers of every look-up, which list records of any object."""
    attempts = Attempt.objects.filter(binding__route=route)
    own = attempts.filter(binding__in=bindings.values("pk"))
    lookups = attempts.filter(method="GET")
    own.filter(request__isnull=False).update(request={"erased": True})
    # The address of a create may contain columns, and that of a list a lookup's words or the cursor of a page.
    may_have_content = (Attempt.Action.CREATE, Attempt.Action.LOOKUP, Attempt.Action.EVIDENCE)
    has_content = Q(action__in=may_have_content) & ~Q(url=route.target.url + route.path)
    for selected in (own, lookups):
        selected.exclude(answer="").update(answer=ERASED)
        selected.filter(has_content).update(url=ERASED)


def erase_words(words: Words) -> int:
    """Erase words from what the engine and people wrote into its rows, and from attempts; return how many changed."""
    # Bindings before their target: the order in which settling locks them.
    changed = sum(
        _unquote(model, column, words) for model, column in ((Run, "message"), (Binding, "reason"), (Target, "blocked"))
    )
    # There are too many attempts to read them all, so the database searches for the names.
    has_words = Q()
    for spelling in words.spellings:
        has_words |= Q(answer__contains=spelling) | Q(url__contains=spelling)
    changed += erase_in(Binding.objects.exclude(held_why=""), ("held_why",), words)
    return changed + erase_in(Attempt.objects.filter(has_words), ("url", "request", "answer"), words, cut=True)


def _unquote(model: type[models.Model], column: str, words: Words) -> int:
    """Remove the quoted answers from a column's sentences in which the words occur; return the number of rows."""
    rows = model._default_manager.filter(**{f"{column}__contains": ": "})
    matches = [(pk, text) for pk, text in rows.values_list("pk", column) if words.are_in(text, cut=True)]
    for pk, text in matches:
        rows.filter(pk=pk).update(**{column: mapped(unquoted(text), lambda one: words.erased(one, cut=True))})
    return len(matches)
