"""The rows that a configuration file describes: changed and validated, but not saved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Field

from syncer.configure.document import Targets
from syncer.configure.faults import Faults
from syncer.configure.peers import other_authorities, user_named
from syncer.configure.schema import Path, columns_of_keys
from syncer.models import Route, Target


@dataclass(frozen=True)
class Plan:
    """A target as the file describes it, and its routes; `left_out` are stored routes that the file does not name."""

    target: Target
    routes: list[Route]
    left_out: list[Route]


def plan(name: str, targets: Targets, faults: Faults) -> Plan:
    """Return the rows of one target of the file, and report their faults."""
    table = targets[name]
    target = Target.objects.filter(name=name).first() or Target(name=name)
    names = columns_of_keys(table)
    _fill(target, table, names, ("targets", name), faults)

    stored = {route.model: route for route in target.routes.all()} if target.pk else {}
    tables = table.get("routes", [])
    routes: dict[str, Route] = {}
    for index, route_table in enumerate(tables):
        place = ("targets", name, "routes", index)
        model = route_table.get("model", "")
        if model in routes:
            faults.report((*place, "model"), f"{name} already has a route for {model}; one is enough")
            continue
        routes[model] = route = stored.get(model) or Route(model=model)
        route.target, route.beside = target, frozenset(beside.get("model", "") for beside in tables)
        route.authorities = other_authorities(model, targets, but=name)
        _fill(route, route_table, names, place, faults)
    return Plan(target, list(routes.values()), [route for model, route in stored.items() if model not in routes])


def columns_of(row: Target | Route) -> "dict[str, Field[Any, Any]]":
    """Return the columns that a file sets, by name: those of the admin's form, without those that identify the row."""
    identity = ("id", "name", "target")
    return {field.name: field for field in row._meta.fields if field.editable and field.name not in identity}


def _fill(row: Target | Route, table: Mapping[str, Any], names: Mapping[str, str], place: Path, faults: Faults) -> None:
    """Set the row's columns to what `table` says, those left out to their defaults, and validate the row."""
    for column, field in columns_of(row).items():
        setattr(row, column, field.get_default())
    paths: dict[str, Path] = {column: tuple(key.split(".")) for key, column in names.items()}
    paths |= {"name": (), NON_FIELD_ERRORS: ()}
    given = set()
    for column, path, value in _values(table, names):
        given.add(column)
        paths[column] = path
        try:
            setattr(row, column, user_named(value) if column == "peer_user" else value)
        except ValidationError as error:
            faults.refuse((*place, *path), error.messages[0])
    if isinstance(row, Route) and "lookup" not in given:
        row.lookup = row.default_lookup()
    faults.validate(row, paths, place)


def _values(table: Mapping[str, Any], names: Mapping[str, str], within: Path = ()) -> Iterator[tuple[str, Path, Any]]:
    """Yield each column that the table sets, the path of its key, and the value."""
    for key, value in table.items():
        path = (*within, key)
        if path in (("auth",), ("peer",)):
            yield from _values(value, names, path)
        elif path != ("routes",):
            yield names.get(".".join(map(str, path)), key), path, value
