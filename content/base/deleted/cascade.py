"""What a delete takes along, counted set-based, and the job that deletes in slices, children first."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import CASCADE, DO_NOTHING, SET_DEFAULT, SET_NULL, Model, ProtectedError, QuerySet
from django.utils.translation import gettext as _

from backoffice.kit.batches import batched, batched_keys
from backoffice.kit.context import cause, caused_by
from backoffice.kit.estimates import Count, count
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import AGAIN, RESUMES, TURN, Again, start
from backoffice.kit.numbers import grouped
from backoffice.kit.permissions import Person
from content.base.deleted.rows import cascades

WORK = "content.base.deleted.cascade.delete"
HERE = 1_000  # objects that a request deletes itself, in one transaction
SLICE = 500  # objects of a transaction: about half a second on SQLite, which has one writer
HARMLESS = (None, CASCADE, DO_NOTHING, SET_DEFAULT, SET_NULL)  # what a relation does that prevents no delete
PAUSE = 0.1  # seconds after each slice, in which others may write: SQLite's waiting writers look every tenth


@dataclass(frozen=True)
class CascadeLevel:
    """Objects of one model that a delete removes."""

    model: type[Model]
    rows: "QuerySet[Any]"
    number: Count


def cascade_of(model: type[Model], rows: "QuerySet[Any]") -> list[CascadeLevel]:
    """Return what goes with these objects, they first; one query for each kind, however many there are.

    A number above 10,000 is given as "more than" it.
    """
    found = [CascadeLevel(model, rows, count(rows.order_by()))]
    for child, field in cascades(model):
        children = child._base_manager.filter(**{f"{field}__in": rows.order_by().values("pk")})
        found += [one for one in cascade_of(child, children) if one.number]
    return found


def protectors(model: type[Model]) -> Iterator[tuple[type[Model], str]]:
    """Yield the models of which an object prevents the delete of an object of `model`, each with its foreign key."""
    for relation in model._meta.get_fields(include_hidden=True):
        rule = getattr(relation, "on_delete", None)
        if relation.auto_created and not relation.concrete and rule not in HARMLESS:
            yield relation.related_model, relation.field.name  # type: ignore[misc, union-attr]


def begin(model: type[Model], keys: list[Any], total: int, *, user: Any) -> Job:
    """Start the job that deletes the objects with these primary keys, and what goes with them.

    If an earlier job of the same objects ended early, the history gets that job's request, so that all of them come
    back together.
    """
    arguments = {"model": model._meta.label, "keys": [str(key) for key in keys]}
    title = _("Delete %(number)s %(names)s with what belongs to them")
    names = {"number": grouped(len(keys)), "names": model._meta.verbose_name_plural}
    failed = Job.objects.filter(work=WORK, state=Job.State.FAILED, user=user).order_by("created_at")
    earlier = next((job for job in failed if job.arguments == arguments), None)
    request_id = earlier.request_id if earlier else cause().request_id
    with caused_by(replace(cause(), request_id=request_id)):
        return start(WORK, user=user, title=title % names, total=total, arguments=arguments, resumes=RESUMES)


def delete(progress: Progress, *, model: str, keys: list[str]) -> Again | None:
    """Delete objects and what goes with them, children first; the job's work.

    Each slice is a transaction of its own, so what was done stays done if the job ends early. Called again, it goes on
    with what is left.

    Raises:
        PermissionDenied: the user may not delete objects of one of the models.
    """
    kind, ends_at = apps.get_model(model), time.monotonic() + TURN
    progress.start_over()
    for some in batched(keys, SLICE):
        for keys_of_slice, one in _slices_of(progress, kind, some):
            number = _delete(progress, one.model, keys_of_slice, is_named=one.model is kind)
            if number and time.monotonic() > ends_at:
                return AGAIN
    return None


def _slices_of(progress: Progress, model: type[Model], keys: list[str]) -> Iterator[tuple[list[Any], CascadeLevel]]:
    """Yield the slices in which objects go with what belongs to them, children first."""
    free = _unprotected(progress, model, keys)
    found = cascade_of(model, model._base_manager.filter(pk__in=free))
    for one in found:
        if not Person(progress.user).may(one.model, "delete"):
            raise PermissionDenied(Person(progress.user).refusal(one.model, "delete"))
    for one in reversed(found):
        for keys_of_slice in batched_keys(one.rows, SLICE):
            yield keys_of_slice, one


def _unprotected(progress: Progress, model: type[Model], keys: list[str]) -> list[Any]:
    """Return the keys of objects that nothing protects; the others are reported, before their children are touched."""
    pks = [model._meta.pk.to_python(key) for key in keys]
    held: dict[Any, type[Model]] = {}
    for kind, field in protectors(model):
        rows = kind._base_manager.filter(**{f"{field}__in": pks}).order_by().values_list(f"{field}_id", flat=True)
        held |= dict.fromkeys(rows.distinct(), kind)
    text = _("It is still used by %(names)s.")
    progress.fail_all(
        (f"{model._meta.verbose_name} {pk}", text % {"names": kind._meta.verbose_name_plural})
        for pk, kind in held.items()
    )
    return [pk for pk in pks if pk not in held]


def _delete(progress: Progress, model: type[Model], keys: list[Any], *, is_named: bool = False) -> int:
    """Delete one slice, and return how many went.

    Where a rule refuses one, the others of the slice go singly. What is refused below an object that goes too is left
    to that object's delete, which says why.
    """
    try:
        return _delete_at_once(progress, model, keys)
    except (ProtectedError, ValidationError) as error:
        if len(keys) > 1:
            return sum(_delete(progress, model, [key], is_named=is_named) for key in keys)
        if is_named:
            message = error.messages[0] if isinstance(error, ValidationError) else str(error.args[0])
            progress.fail(f"{model._meta.verbose_name} {keys[0]}", message)
        return 0


def _delete_at_once(progress: Progress, model: type[Model], keys: list[Any]) -> int:
    with transaction.atomic(durable=True):
        number, _by_model = model._base_manager.filter(pk__in=keys).delete()
        progress.advance(number)
    if connection.vendor == "sqlite":
        time.sleep(PAUSE)
    return number
