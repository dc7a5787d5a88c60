"""Targets and routes from a TOML file. What is refused is refused by the models' own `clean`; here it gets its line.

The file says how the targets that it names are to be, wholly: a key that is left out has its default, and a route that
is left out is disabled. Targets that it does not name are left alone.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction

from backoffice.kit import references
from syncer.configure_keys import (
    AUTH_KEYS,
    OF_ROUTES,
    OF_TARGETS,
    PEER_KEYS,
    PEER_ROUTE_KEYS,
    ROUTE_KEYS,
    TARGET_KEYS,
    Key,
)
from syncer.core.errors import SyncError
from syncer.core.toml_lines import Place, line_of, locate
from syncer.models import Route, Target
from syncer.models.checks import is_storable
from syncer.targets.peer import PEER

TABLES = ("auth", "peer", "routes")  # of a target
WORDS = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong on one line of the file, and the cure."""

    line: int
    message: str


class Refused(SyncError):
    """The file is not right; nothing was written. `faults` are in the order of the lines."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__(f"{len(self.faults)} fault{'s' if len(self.faults) > 1 else ''}")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What became of one target or, where `route` names a model, of one route.

    Attributes:
        columns: what differs, `{"path": ("before", "after")}`; before is None for what is new.
    """

    target: str
    route: str | None = None
    outcome: Literal["created", "changed", "disabled", "unchanged"]
    columns: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What a file did, or with `check` would do. `notes` are no faults, but want a look."""

    changes: list[Change]
    notes: list[str]


def configure(file: Path, *, check: bool = False) -> Report:
    """Make targets and routes what `file` says, all or nothing; with `check`, only say what would change.

    Raises:
        Refused: the file can't be read or is not right.
    """
    document = _Document(file)
    with transaction.atomic():
        plans = list(document.plans())
        document.refuse_faults()
        changes = [change for plan in plans for change in _carry_out(plan, check=check)]
    return Report(changes, [note for plan in plans for note in _notes(plan.target)])


@dataclass(frozen=True)
class _Plan:
    """A target as the file wants it, with its routes; the rows are changed but not saved."""

    target: Target
    routes: list[Route]
    left_out: list[Route]


class _Document:
    """A file that is being read. Faults are gathered, so that all are told at once."""

    def __init__(self, file: Path) -> None:
        try:
            text = file.read_text(encoding="utf-8")
            self._data = tomllib.loads(text)
        except OSError as error:
            raise Refused([Fault(1, f"The file can't be read: {error.strerror}")]) from error
        except UnicodeDecodeError as error:
            raise Refused([Fault(1, "The file is not UTF-8 text")]) from error
        except (ValueError, RecursionError) as error:  # TOMLDecodeError, or a number of thousands of digits
            found = re.search(r" \(at line (\d+), ", str(error))
            line = int(found[1]) if found else text.count("\n") + 1  # "at end of document"
            raise Refused([Fault(line, f"This is not TOML: {error}")]) from error
        self._lines = locate(text)
        self._faults: list[Fault] = []
        self._nodes: dict[str, str] = {}  # of peers: the node, and the target that is for it

    def refuse_faults(self) -> None:
        if self._faults:
            raise Refused(self._faults)

    def plans(self) -> Iterator[_Plan]:
        for name in self._data:
            if name != "targets":
                self._fault((name,), f"'{name}' is not known here; a target begins with [targets.NAME]")
        targets = self._typed(self._data, "targets", dict, ()) or {}
        if not targets:
            self._fault((), "The file names no target; one begins with [targets.NAME]")
        for name in targets:
            if (table := self._typed(targets, name, dict, ("targets",))) is not None:
                yield self._plan(name, table, ("targets", name))

    def _plan(self, name: str, table: dict[str, Any], place: Place) -> _Plan:
        target = Target.objects.filter(name=name).first() or Target(name=name)
        own = {key: value for key, value in table.items() if key not in TABLES}
        _reset(target, OF_TARGETS)
        places = {"name": place} | self._fill(target, own, TARGET_KEYS, place, also=TABLES)
        auth = self._typed(table, "auth", dict, place)
        places |= self._fill(target, {"type": "none"} if auth is None else auth, AUTH_KEYS, (*place, "auth"))
        peer = self._typed(table, "peer", dict, place)
        if target.kind == PEER or peer is not None:
            places |= self._fill(target, peer or {}, PEER_KEYS, (*place, "peer"))
            self._refuse_second(target.peer_node, name, (*place, "peer", "node"))
        self._validate(target, places, place)
        return self._routes(target, self._typed(table, "routes", list, place) or [], (*place, "routes"))

    def _routes(self, target: Target, tables: list[Any], place: Place) -> _Plan:
        stored = {route.model: route for route in target.routes.all()} if target.pk else {}
        named = [table.get("model") for table in tables if isinstance(table, dict)]
        beside = frozenset(model for model in named if isinstance(model, str))
        routes: dict[str, Route] = {}
        for index in range(len(tables)):
            here = (*place, index)
            if (table := self._typed(tables, index, dict, place)) is None:
                continue
            model = str(table.get("model", ""))
            if model in routes:
                self._fault((*here, "model"), f"{model} has a route to {target.name} already; one is enough")
                continue
            route = stored.get(model) or Route(model=model)
            route.target, route.beside = target, beside
            route.authorities = self._authorities(model, but=target.name) if target.kind == PEER else None
            _reset(route, OF_ROUTES)
            places = self._fill(route, table, PEER_ROUTE_KEYS if target.kind == PEER else ROUTE_KEYS, here)
            self._validate(route, places, here, exclude={"target"})
            routes[model] = route
        return _Plan(target, list(routes.values()), [route for model, route in stored.items() if model not in routes])

    def _fill(
        self,
        row: models.Model,
        table: dict[str, Any],
        keys: Mapping[str, Key],
        place: Place,
        also: tuple[str, ...] = (),
    ) -> dict[str, Place]:
        """Set the columns of `row` from `table`. Returns where each stands; one already at fault is not there."""
        for name in table:
            if name not in keys:
                self._fault(
                    (*place, name), f"'{name}' is not known here; it may be one of: {', '.join([*keys, *also])}"
                )
        places = {}
        for name, key in keys.items():
            if name not in table and key.required:
                self._fault(place, f"'{name}' is missing; it must be given")
            elif name not in table:
                places[key.column] = (*place, name)
            elif (value := self._typed(table, name, key.type, place)) is not None:
                try:
                    setattr(row, key.column, key.read(value))
                    places[key.column] = (*place, name)
                except ValidationError as error:
                    self._fault((*place, name), f"{name}: {' '.join(error.messages)}")
        return places

    def _refuse_second(self, node: str, name: str, place: Place) -> None:
        """The database tells of other targets for a node, but not of others in the file."""
        if self._nodes.setdefault(node, name) != name:
            self._fault(place, f"{self._nodes[node]} is the target for {node!r} already; one is enough")

    def _authorities(self, model: str, *, but: str) -> list[Any]:
        """What other peers' routes of a model will say: those of the file, and of targets that it does not name."""
        tables = self._data["targets"]
        rows = Route.objects.filter(model=model, target__kind=PEER).exclude(target__name__in=tables)
        found = [*rows.values_list("authority", flat=True)]
        for name, table in tables.items():
            if name != but and isinstance(table, dict) and table.get("kind") == PEER:
                routes = table.get("routes") if isinstance(table.get("routes"), list) else []
                found += [one.get("authority", {}) for one in routes or [] if _is_of(one, model)]
        return [one for one in found if isinstance(one, dict)]

    def _validate(
        self, row: Target | Route, places: dict[str, Place], place: Place, exclude: set[str] | None = None
    ) -> None:
        broken = {column.name for column in row._meta.fields} - set(places) - {"id"}
        try:
            row.full_clean(exclude=broken | (exclude or set()))
        except ValidationError as error:
            for column, errors in error.error_dict.items():
                if column in places or column == NON_FIELD_ERRORS:
                    for one in errors:
                        self._fault(*_located(row, column, one, places.get(column, place)))

    def _typed(self, table: Any, name: Any, kind: type, place: Place) -> Any:
        """`table[name]`, None where it is not there or not of that kind; the latter is a fault."""
        value = table.get(name) if isinstance(table, dict) else table[name]
        if isinstance(value, str) and not is_storable(value):
            self._fault((*place, name), f"'{name}' has a NUL")
            return None
        if value is None or type(value) is kind:
            return value
        what = f"item {name + 1}" if isinstance(name, int) else f"'{name}'"
        self._fault((*place, name), f"{what} must be {WORDS[kind]}")
        return None

    def _fault(self, place: Place, message: str) -> None:
        self._faults.append(Fault(line_of(self._lines, place), message))


def _reset(row: models.Model, columns: Iterable[str]) -> None:
    for column in columns:
        setattr(row, column, row._meta.get_field(column).get_default())  # type: ignore[union-attr]


def _is_of(table: Any, model: str) -> bool:
    return isinstance(table, dict) and table.get("model") == model


def _located(row: models.Model, column: str, error: ValidationError, place: Place) -> tuple[Place, str]:
    """Where an error of `column` stands, and its message for a reader of the file."""
    [message] = error.messages
    message = message.rstrip(".")
    params = error.params or {}
    if error.code == "invalid_choice":
        choices = row._meta.get_field(column).flatchoices  # type: ignore[union-attr]
        return place, f"'{params['value']}' is no {place[-1]}; it may be one of: {', '.join(key for key, _ in choices)}"
    if error.code == "route":
        return (place if params["at"] is None else (*place, params["at"])), message
    return place, f"{place[-1]}: {message}"


def _carry_out(plan: _Plan, *, check: bool) -> Iterator[Change]:
    """Save what differs, the target first."""
    target = plan.target
    yield _save(target, check=check, target=target.name)
    for route in plan.routes:
        route.target = target  # it has its key by now
        yield _save(route, check=check, target=target.name, route=route.model)
    for route in plan.left_out:
        if route.enabled:
            route.enabled = False
            saved = _save(route, check=check, target=target.name, route=route.model)
            yield Change(target=target.name, route=route.model, outcome="disabled", columns=saved.columns)


def _save(row: Target | Route, *, check: bool, target: str, route: str | None = None) -> Change:
    stored = type(row).objects.filter(pk=row.pk).first() if row.pk else None
    names = OF_TARGETS if isinstance(row, Target) else OF_ROUTES
    pairs = {name: (_plain(getattr(stored, name, None)), _plain(getattr(row, name))) for name in names}
    columns = {column: pair for column, pair in pairs.items() if pair[0] != pair[1]}
    if columns and not check:
        row.save(update_fields=list(columns) if stored else None)
    outcome: Literal["created", "changed", "unchanged"]
    outcome = "created" if not stored else "changed" if columns else "unchanged"
    return Change(target=target, route=route, outcome=outcome, columns=columns)


def _plain(value: Any) -> Any:
    """As a report has it."""
    return str(value) if isinstance(value, models.Model) else value


def _notes(target: Target) -> Iterator[str]:
    if target.auth_secret:
        try:
            references.resolve(target.auth_secret)
        except references.Unresolved as error:
            yield f"{target.name}: the secret {target.auth_secret} is not there yet. {error}"
