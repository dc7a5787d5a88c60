"""The deleted objects of a model, read from its history."""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.db.models import CASCADE, Exists, Model, OuterRef, Q, QuerySet

from backoffice.kit.batches import batched
from backoffice.kit.history import history_of
from content.base.models import ContentModel

Ids = list[int]  # of history rows
AT_ONCE = 500  # parents of one statement
# How long before its parent a child was deleted in the same act, where neither request nor transaction tells.
ACT = timedelta(seconds=60)


def deleted(model: type[Model]) -> "QuerySet[Any]":
    """Return the history rows of the objects that are deleted now, one each, the latest delete first."""
    key, history = model._meta.pk.attname, history_of(model)._default_manager
    newer = history.filter(**{key: OuterRef(key)}, history_id__gt=OuterRef("history_id"))
    return history.filter(~Exists(newer), history_type="-").order_by("-history_id")


def cascades(model: type[Model]) -> Iterator[tuple[type[Model], str]]:
    """Yield the models of content whose objects are deleted with one of `model`, each with its foreign key."""
    for relation in model._meta.get_fields(include_hidden=True):
        child: Any = relation.related_model
        is_cascade = relation.auto_created and getattr(relation, "on_delete", None) is CASCADE
        if is_cascade and not relation.concrete and issubclass(child, ContentModel):
            yield child, relation.field.name  # type: ignore[union-attr]


def with_children(model: type[Model], rows: Iterable[Any]) -> list[tuple[type[Model], Ids]]:
    """Return history rows of deletes, and those of what was deleted with them in the same act, parents first.

    A model can be in the list more than once.
    """
    found = list(rows)
    levels: list[tuple[type[Model], Ids]] = [(model, [row.history_id for row in found])]
    for child, field in cascades(model):
        children = [row for some in batched(found, AT_ONCE) for row in _children(child, field, some)]
        if children:
            levels += with_children(child, children)
    return levels


def _children(child: type[Model], field: str, parents: Collection[Any]) -> Iterator[Any]:
    """Yield the history rows of the children that were deleted in the same act as their parent."""
    by_act: dict[Any, list[Any]] = {}
    for parent in parents:
        by_act.setdefault(_act(parent), []).append(parent.instance.pk)
    for act, keys in by_act.items():
        yield from deleted(child).filter(act, **{f"{field}__in": keys})


def _act(row: Any) -> Q:
    """Return the condition for deletes of the same act: of the request or job, else of the transaction, or the time."""
    if row.request_id:
        return Q(request_id=row.request_id)
    if row.txid:
        return Q(txid=row.txid)
    return Q(request_id="", history_date__range=(row.history_date - ACT, row.history_date + ACT))
