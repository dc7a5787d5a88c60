"""The newest changes of content, for the first page: read from the end of each history table, so in a bounded time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.admin import site
from django.db import connection, models
from django.http import HttpRequest

from backoffice.kit.estimates import Count
from backoffice.kit.history import history_of, time_of
from backoffice.kit.permissions import Person, hidden, hides_rows
from backoffice.kit.urls import admin_url
from content.base.changes.latest import latest
from content.base.changes.titles import title_of
from content.base.models import ContentModel

READ = 1000  # the newest versions of each model that are looked at
SHOWN = 8
AUTHOR = "history_user_name, origin, origin_user"
OBJECT = "model, object_key"


@dataclass(frozen=True, kw_only=True)
class Edit:
    """The newest of some changes, and the object that it changed."""

    kind: str  # "post"
    key: str
    title: str  # the object as it is now, or was when it was deleted
    url: str  # its page; empty if it is deleted
    at: datetime
    type: str  # "+" added, "~" changed, "-" deleted
    user: str  # the account's name; empty: the program
    node: str  # where it was made; empty: here
    number: int  # of the changes


def my_edits(request: HttpRequest) -> list[Edit]:
    """Return the objects that this person changed last, by one statement and one to three for each kind among them."""
    models = visible_models(request)
    return _edits(request, _latest(models, OBJECT, "history_user_id = %s", request.user.pk))


def edits_by_person(request: HttpRequest, since: datetime) -> list[Edit]:
    """Return the newest change of each person, or program, that changed something since then, the latest first.

    A kind of content of which the person sees only some objects is left out: a number would tell of the others.
    """
    models = [model for model in visible_models(request) if _sees_all(request, model)]
    at = connection.ops.adapt_datetimefield_value(since)
    return _edits(request, _latest(models, AUTHOR, "history_date >= %s", at))


def visible_models(request: HttpRequest) -> list[type[ContentModel]]:
    """Return the kinds of content of which this person may see objects."""
    person = Person(request.user)
    content = [model for model in apps.get_models() if issubclass(model, ContentModel)]
    return [model for model in content if person.may(model, "view")]


def sees_all_of_any(request: HttpRequest) -> bool:
    """Return whether there is a kind of content of which this person may see every object."""
    return any(_sees_all(request, model) for model in visible_models(request))


def _sees_all(request: HttpRequest, model: type[ContentModel]) -> bool:
    return not hides_rows(model, Person(request.user))


Row = tuple[Any, ...]  # (model, key, at, type, user's name, origin, origin's user, number, most read of a model)


def _latest(models: Iterable[type[ContentModel]], group: str, condition: str, value: Any) -> list[Row]:
    """Return the newest change of each group and the number of its changes, among the newest of each model."""
    parts = [_newest(model, condition) for model in models]
    if not parts:
        return []
    changes = " UNION ALL ".join(parts)
    numbered = (
        f"SELECT changes.*, count(*) OVER (PARTITION BY {group}) AS number, "
        f"max(found) OVER (PARTITION BY {group}) AS most, "
        f"row_number() OVER (PARTITION BY {group} ORDER BY at DESC) AS place FROM ({changes}) AS changes"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {OBJECT}, at, history_type, {AUTHOR}, number, most FROM ({numbered}) AS numbered "
            f"WHERE place = 1 ORDER BY at DESC LIMIT {4 * SHOWN}",
            [value] * len(parts),
        )
        rows: list[Row] = cursor.fetchall()
    return rows


def _newest(model: type[ContentModel], condition: str) -> str:
    quote = connection.ops.quote_name
    table, key = quote(history_of(model)._meta.db_table), quote(str(model._meta.pk.column))
    newest = f"SELECT * FROM {table} ORDER BY history_id DESC LIMIT {READ}"
    return (
        f"SELECT '{model._meta.label}' AS model, CAST({key} AS text) AS object_key, history_date AS at, history_type, "
        f"{AUTHOR}, count(*) OVER () AS found FROM ({newest}) AS newest WHERE {condition}"
    )


def _edits(request: HttpRequest, rows: Sequence[Row]) -> list[Edit]:
    """Return the first rows with their objects, without those that this person may not see."""
    keys: dict[str, list[str]] = {}
    for label, key, *_ in rows:
        keys.setdefault(label, []).append(key)
    objects = {label: _objects(request, apps.get_model(label), names) for label, names in keys.items()}
    edits = []
    for label, key, at, type_, user, origin, origin_user, number, most in rows:
        if key not in objects[label]:
            continue
        model, obj = apps.get_model(label), objects[label][key]
        is_live = isinstance(obj, model)
        edits.append(
            Edit(
                kind=str(model._meta.verbose_name),
                key=key,
                title=str(obj) if is_live else title_of(obj) if obj else "",
                url=admin_url(model, "change", obj.pk) if obj and is_live and model in site._registry else "",
                at=time_of(at),
                type=type_,
                user=origin_user if origin else user,
                node=origin,
                number=Count(number, "at least" if most == READ else ""),
            )
        )
    return edits[:SHOWN]


def _objects(request: HttpRequest, model: type[models.Model], keys: Iterable[str]) -> dict[str, models.Model | None]:
    """Return the live objects, of deleted ones the newest history row, and nothing of what this person may not see."""
    by_key = {key: model._meta.pk.to_python(key) for key in keys}
    unseen = hidden(model, set(by_key.values()), Person(request.user))
    live = model._default_manager.in_bulk(list(by_key.values()))
    gone = latest(model, lost) if (lost := {*by_key.values()} - {*live} - unseen) else {}
    return {key: live.get(pk) or gone.get(pk) for key, pk in by_key.items() if pk not in unseen}
