"""The payloads that a route sends, built from live rows, and read back from the records of a first load.

A payload is flat, `{"remote name": JSON value}`: a dot in a remote name stands for a level of nesting, which is made
together with the request. Where the route's `values` have another word for a value, the word is sent as it is; else the
value is written in the route's format. Null has no format.
"""

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from string import Formatter
from typing import Any

from backoffice.kit.phrases import message_of, phrase
from syncer.core.decide import Payload, Wanted
from syncer.core.ids import decode_id, encode_id, is_id
from syncer.models import Route
from syncer.models.keys import json_value, key_of, pks
from syncer.models.mapping import Declaration, is_storable
from syncer.models.routemap import Parent, RouteMap
from syncer.targets.rest.formats import FORMATS, NOT_WRITABLE

QUOTED = 100  # characters of a value in a reason
PARENT = "(its parent's id)"


class Missing(Enum):
    """A placeholder for a parent's remote id that is not known (yet)."""

    PARENT = "parent"


class UnsendableError(ValueError):
    """A value of an object can't be sent as its route says. The message names the field, the cure and the value.

    What it shows of the object is quoted, so that an erasure leaves it out (`outcome.unquoted`).
    """


Parents = dict[str, dict[Any, Parent]]  # {"foreign key": {pk of the parent object: its binding}}


def load(routes: RouteMap, route: Route, keys: Iterable[str]) -> dict[str, Wanted]:
    """Return the objects with these keys that are to exist at the target, by key.

    This takes one query, and one more for each mapped foreign key.
    """
    sources = {source for name in route.fields.values() for source in route.declaration.sources(name)}
    columns = sources | ({route.own_id} if route.own_id else set())
    rows = list(routes.wanted(route).filter(pk__in=pks(route.declaration.model, keys)).values("pk", *columns))
    parents = {
        link.field: routes.parents(link, {row[link.field] for row in rows} - {None}) for link in routes.links_up(route)
    }
    return {key_of(route.declaration.model, row["pk"]): _wanted(route, row, parents) for row in rows}


def _wanted(route: Route, row: Mapping[str, Any], parents: Parents) -> Wanted:
    above = route.declaration.parent or ""
    parent = parents.get(above, {}).get(row[above]) if above in row else None
    columns = {name: _remote_id(value, parents[name]) if name in parents else value for name, value in row.items()}
    waits = Missing.PARENT in columns.values()
    try:
        local = {name: _local_value(route.declaration, name, columns) for name in route.fields.values()}
        payload = {remote: _written(route, remote, name, local[name]) for remote, name in route.fields.items()}
        return Wanted(
            payload=payload | route.constants,
            create_path=_create_path(route, local),
            parent=parent.binding if parent else None,
            waits=waits,
            own_id=_own_id(route, columns) if route.own_id else None,
        )
    except UnsendableError as error:
        return Wanted(payload={}, parent=parent.binding if parent else None, waits=waits, fault=message_of(error))


def _remote_id(value: Any, parents: Mapping[Any, Parent]) -> object:
    """Return the remote id of the parent to which a foreign key points."""
    parent = parents.get(value)
    if value is None:
        return None
    return decode_id(parent.remote_id) if parent and parent.remote_id else Missing.PARENT


def _local_value(declaration: Declaration, name: str, columns: Mapping[str, Any]) -> Any:
    """Return the value of a field, or the result of a computed one.

    Raises:
        UnsendableError: the function of a computed field failed, or its result is not a JSON value.
    """
    if name not in declaration.computed:
        return columns[name]
    try:
        result = declaration.computed[name](**{source: columns[source] for source in declaration.sources(name)})
        if json_value(result) is not result:  # a date, a time, a decimal or a UUID, which a format may need
            return result
        result = json.loads(json.dumps(result, allow_nan=False))  # a tuple would differ from the list that is stored
        if not is_storable(result):
            raise ValueError("it returned a NUL, an unpaired surrogate or too many levels")
    except Exception as error:  # the function is a domain's, and its fault stops this object only
        made_from = ", ".join(declaration.sources(name))
        why = phrase(
            "'%(name)s' can't be computed. Edit %(from)s, or correct the function in the domain's sync.py. Error",
            quoted=_quoted(error),
            **{"name": name, "from": made_from},
        )
        raise UnsendableError(why) from error
    return result


def _written(route: Route, remote: str, name: str, value: object) -> object:
    """Return a value as the route sends it.

    Raises:
        UnsendableError: it can't be written in the route's format.
    """
    if value is Missing.PARENT:
        return value
    words, form = route.values.get(remote, {}), route.formats.get(remote)
    if words and (word := named(value)) in words:
        return words[word]
    if form is None or value is None:
        return json_value(value)
    try:
        return FORMATS[form].write(value)
    except NOT_WRITABLE as error:
        why = phrase(
            "'%(remote)s' can't be sent as '%(form)s'. Edit %(names)s, or change the route's formats. Value",
            quoted=_quoted(json_value(value)),
            remote=remote,
            form=form,
            names=", ".join(route.declaration.sources(name)),
        )
        raise UnsendableError(why) from error


def named(value: object) -> str:
    """Return the name that a value has in the route's `values`: a text itself; else its JSON, `null`, `true` or `5`."""
    value = json_value(value)
    return value if isinstance(value, str) else json.dumps(value)


def readable(payload: Payload) -> Payload:
    """Return a payload as people read it: what stands for a parent's unknown id becomes words."""
    return {name: PARENT if value is Missing.PARENT else value for name, value in payload.items()}


def _create_path(route: Route, local: Mapping[str, Any]) -> str:
    """Return the path at which the record is created.

    Raises:
        UnsendableError: a value would lead to another path.
    """
    for _, name, _, _ in Formatter().parse(route.create_path):
        if name and local[name] is not Missing.PARENT:
            value = json_value(local[name])
            if not is_id(value) or "/" in str(value):
                why = phrase(
                    "'{%(name)s}' in the path for new records needs a number, or a text without '/'. Edit %(names)s, "
                    "or change the route's create_path. Value",
                    quoted=_quoted(value),
                    name=name,
                    names=", ".join(route.declaration.sources(name)),
                )
                raise UnsendableError(why)
    return (route.create_path or route.path).format_map({name: json_value(value) for name, value in local.items()})


def _own_id(route: Route, columns: Mapping[str, Any]) -> str:
    """Return the id of the object's record as JSON text, where we give it.

    Raises:
        UnsendableError: the value can't be an id.
    """
    value = json_value(columns[route.own_id])
    if not (isinstance(value, int | str) and is_id(value)):
        why = phrase(
            "'%(name)s' can't be the record's id: it is empty, too long, or not a name in a path. Edit it, or change "
            "the route's own_id. Value",
            quoted=_quoted(value),
            name=route.own_id,
        )
        raise UnsendableError(why)
    return encode_id(value)


def _quoted(value: object) -> str:
    text = repr(value) if isinstance(value, Exception) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"


def read_back(route: Route, record: Payload) -> dict[str, Any]:
    """Return the values of the local fields from which the route would write such a record, `{"local name": value}`.

    Computed fields are left out: nothing is known of what they were made from.

    Raises:
        UnsendableError: a value is not in the route's format, or is the word for several local values.
    """
    values = {}
    for remote, name in route.fields.items():
        if name in route.declaration.computed:
            continue
        value, form = record[remote], route.formats.get(remote)
        meant = [word for word, sent in route.values.get(remote, {}).items() if sent == value]
        if len(meant) > 1:
            raise UnsendableError(f"{remote} {_quoted(value)} stands for several values: {', '.join(meant)}")
        if meant:
            values[name] = None if meant == ["null"] else meant[0]  # the field's to_python reads "5" and "true"
            continue
        try:
            values[name] = FORMATS[form].read(value) if form and value is not None else value
        except NOT_WRITABLE as error:
            raise UnsendableError(f"{remote} {_quoted(value)} is not in the format '{form}'") from error
    return values
