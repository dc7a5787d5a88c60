"""A conflict as people read it: what stands against what, who did it, and what it was before."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.timezone import localtime

from syncer.core.merge import ASK, EXISTS, Edit, outcome, overrule
from syncer.models.keys import json_value
from syncer.targets.peer.conflicts.waiting import Open, last_common
from syncer.targets.peer.message import time_of
from syncer.targets.peer.replicas import rules_of
from syncer.targets.peer.rows import value_of

THERE = {True: "Keep it", False: "Delete it"}
NOTHING = "(empty)"


@dataclass(frozen=True, kw_only=True)
class Side:
    """A value that can be taken.

    Attributes:
        value: as JSON has it. text: as people read it.
        user, node, reason, at: who gave it; without a node nobody is known.
        is_here: the object holds it now.
    """

    value: Any
    text: str
    is_here: bool
    user: str = ""
    node: str = ""
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """One field, or whether the object is to be there.

    Attributes:
        asked: a person has to decide it; else it may be changed so that the object is valid.
        wrong: why what both ends made of it can't be.
        common: what it was before, as people read it; None: the history does not tell.
    """

    name: str
    label: str
    asked: bool
    wrong: str
    sides: tuple[Side, ...]
    common: str | None


def questions(now: Open, user: Any) -> list[Question]:
    """What is to be decided of an object, as `user` may read it."""
    return [_question(now, name, user) for name in now.names]


def wrong(now: Open) -> str:
    """What is wrong with the object as a whole; empty: nothing is."""
    return str((now.replica.conflicts or {}).get("", ""))


def kept(now: Open, user: Any) -> list[tuple[str, str]]:
    """What the object holds if it stays, or comes back: `(label, value)`."""
    state = overrule(now.replica.state, {EXISTS: True}, me="")
    content = outcome(state, rules_of(now.route, now.replica), live=now.live).content or {}
    model = now.route.declaration.model
    return [
        (label(model, name), shown(model, name, content[name], user)) for name in now.route.shared if name in content
    ]


def label(model: type[models.Model], name: str) -> str:
    """What people call a field."""
    column: Any = model._meta.get_field(name)
    return str(capfirst(column.verbose_name))


def shown(model: type[models.Model], name: str, value: Any, user: Any) -> str:
    """A value as JSON has it, as `user` may read it."""
    column: Any = model._meta.get_field(name)
    if value is None or value == "":
        return NOTHING
    try:
        return _shown(column, value, user)
    except (
        ValidationError,
        TypeError,
        ValueError,
        ArithmeticError,
    ):  # a peer may hand in what is no such field's value
        return json.dumps(value, ensure_ascii=False)


def _shown(column: Any, value: Any, user: Any) -> str:
    if isinstance(column, models.ForeignKey):
        return _linked(column, value, user)
    if isinstance(column, models.JSONField):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    found = column.to_python(value)
    if isinstance(found, datetime):
        return date_format(localtime(found), "Y-m-d H:i:s")
    return str(dict(column.flatchoices).get(found, found) if column.choices else found)


def _linked(column: Any, value: Any, user: Any) -> str:
    rows = column.related_model._default_manager
    rows = rows.visible_to(user) if hasattr(rows, "visible_to") else rows
    parent = rows.filter(pk=value).first()
    return f"{value}: {parent}" if parent else str(value)


def _question(now: Open, name: str, user: Any) -> Question:
    conflicts, model = now.replica.conflicts or {}, now.route.declaration.model
    why = conflicts.get(name, "")
    return Question(
        name=name,
        label="Should it exist?" if name == EXISTS else label(model, name),
        asked=why == ASK,
        wrong="" if why == ASK else why,
        sides=tuple(_sides(now, name, user)),
        common=_common(now, name, user),
    )


def _sides(now: Open, name: str, user: Any) -> Iterator[Side]:
    """Of each edit; then, where no edit gave it, of what is here."""
    edits = now.replica.state.fields.get(name, ())
    here = now.live is not None if name == EXISTS else (now.live or {}).get(name)
    for one in edits:
        yield _side(one, _text(now, name, one.value, user), is_here=one.value == here)
    if (name == EXISTS or now.live is not None) and all(one.value != here for one in edits):
        yield Side(value=here, text=_text(now, name, here, user), is_here=True)


def _text(now: Open, name: str, value: Any, user: Any) -> str:
    return THERE[bool(value)] if name == EXISTS else shown(now.route.declaration.model, name, value, user)


def _side(one: Edit, text: str, *, is_here: bool) -> Side:
    return Side(
        value=one.value,
        text=text,
        is_here=is_here,
        user=one.by.user,
        node="here" if one.node == settings.NODE else one.node,
        reason=one.by.reason,
        at=time_of(one.by),
    )


def _common(now: Open, name: str, user: Any) -> str | None:
    row = last_common(now, name)
    if row is None:
        return None
    is_there = row.history_type != "-"
    if name == EXISTS:
        return "it was there" if is_there else "it was deleted"
    return (
        shown(now.route.declaration.model, name, json_value(value_of(row, name)), user)
        if is_there
        else "it was deleted"
    )
