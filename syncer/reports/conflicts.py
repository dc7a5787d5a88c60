"""A conflict as people read it: the competing values, their authors, and the last common value."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, cast

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit import moments
from syncer.core.merge import ASK, EXISTS, outcome, overrule
from syncer.models.keys import json_value
from syncer.targets.peer.conflicts import Open, last_common
from syncer.targets.peer.message import time_of
from syncer.targets.peer.replicas import rules_of
from syncer.targets.peer.rows import value_of

User: TypeAlias = AbstractBaseUser | AnonymousUser

THERE = {True: gettext_lazy("Keep it"), False: gettext_lazy("Delete it")}
NOTHING = gettext_lazy("(empty)")


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the values that a person can choose; `user`, `node`, `reason` and `at` are of the edit that gave it."""

    value: Any  # as JSON
    text: str  # as people read it
    is_here: bool  # the object here has the value now
    user: str = ""
    node: str = ""
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question about one field, or about whether the object should exist."""

    name: str  # the field, or `EXISTS`
    label: str
    asked: bool  # a person has to decide; False: the field may be changed so that the object becomes valid
    wrong: str  # why the merged value is not valid; empty if it is
    sides: tuple[Side, ...]  # the values to choose from
    common: str | None  # the last common value, as people read it; None if the history does not have it


def questions(now: Open, user: User) -> list[Question]:
    """Return the open questions about an object, with values as `user` may read them."""
    return [_question(now, name, user) for name in now.names]


def kept(now: Open, user: User) -> list[tuple[str, str]]:
    """Return what the object holds if it is kept or restored: `[(label, value), …]`."""
    state = overrule(now.replica.state, {EXISTS: True}, me="")
    content = outcome(state, rules_of(now.route, now.replica), live=now.live).content or {}
    model = now.route.declaration.model
    return [
        (label(model, name), readable(model, name, content[name], user)) for name in now.route.shared if name in content
    ]


def label(model: type[models.Model], name: str) -> str:
    """Return the field's verbose name, capitalized."""
    return str(capfirst(_column(model, name).verbose_name))


def readable(model: type[models.Model], name: str, value: Any, user: User) -> str:
    """Return a field's JSON value as people read it; of a parent that `user` must not see, only the key."""
    column = _column(model, name)
    if value is None or value == "":
        return str(NOTHING)
    try:
        if isinstance(column, models.ForeignKey):
            rows: Any = column.related_model._default_manager
            rows = rows.visible_to(user) if hasattr(rows, "visible_to") else rows
            parent = rows.filter(pk=value).first()
            return f"{value}: {parent}" if parent else str(value)
        if isinstance(column, models.JSONField):
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
        local = column.to_python(value)
        if isinstance(local, datetime):
            return moments.text(local)
        return str(dict(column.flatchoices).get(local, local) if column.choices else local)
    except (ValidationError, TypeError, ValueError, ArithmeticError):  # a peer may send a value of another type
        return json.dumps(value, ensure_ascii=False)


def _column(model: type[models.Model], name: str) -> "models.Field[Any, Any]":
    return cast("models.Field[Any, Any]", model._meta.get_field(name))


def _question(now: Open, name: str, user: User) -> Question:
    reason = (now.replica.conflicts or {}).get(name, "")
    return Question(
        name=name,
        label=_("Should it exist?") if name == EXISTS else label(now.route.declaration.model, name),
        asked=reason == ASK,
        wrong=now.wrong(name),
        sides=tuple(_sides(now, name, user)),
        common=_common(now, name, user),
    )


def _sides(now: Open, name: str, user: User) -> Iterator[Side]:
    """Yield the value of each edit, then the value here unless one of the edits gave it."""

    def text(value: Any) -> str:
        return str(THERE[bool(value)]) if name == EXISTS else readable(now.route.declaration.model, name, value, user)

    edits = now.replica.state.fields.get(name, ())
    here = now.live is not None if name == EXISTS else (now.live or {}).get(name)
    for edit in edits:
        yield Side(
            value=edit.value,
            text=text(edit.value),
            is_here=edit.value == here,
            user=edit.by.user,
            node="here" if edit.node == settings.NODE else edit.node,
            reason=edit.by.reason,
            at=time_of(edit.by),
        )
    if (name == EXISTS or now.live is not None) and all(edit.value != here for edit in edits):
        yield Side(value=here, text=text(here), is_here=True)


def _common(now: Open, name: str, user: User) -> str | None:
    row = last_common(now, name)
    if row is None:
        return None
    if row.history_type == "-":
        return _("it was deleted")
    if name == EXISTS:
        return _("it was there")
    return readable(now.route.declaration.model, name, json_value(value_of(row, name)), user)
