"""What a kind of target must do, and the registry of kinds.

A kind is one folder beside this file, whose `kind.py` registers one `Kind`. The engine, the models and the pages ask
the registry and know no kind by name. Only `core` is imported here, so that every layer above may ask.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from django.core.exceptions import ValidationError

from syncer.core.decide import Action
from syncer.core.errors import TargetStoppedError
from syncer.targets.configuration import Configuration

if TYPE_CHECKING:
    from ninja import Router

    from syncer.core.decide import ClaimedBinding
    from syncer.engine.sender import Sender
    from syncer.models import Route, Run, Target
    from syncer.models.routemap import RouteMap

Fieldsets = tuple[tuple[str | None, dict[str, Any]], ...]  # as Django's ModelAdmin has them


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One delivery that a sync would make.

    Attributes:
        name: the object, `news.Post:5`.
        record: the record's id at the target, as people read it; None: it has none yet.
        fields: `{"remote name": (what the target holds, what it would hold)}`; None stands for "not known" and "none".
    """

    action: Action
    name: str
    record: str | None = None
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Pages:
    """What the admin shows of targets, routes and bindings of a kind: columns and headings, no HTML.

    Attributes:
        target_facts: of a target, what the engine found out about it.
        route: the fieldsets of a route's form. labels: `{"column": (label, help text)}` that differ there.
        binding: the fieldsets of a binding between its head and the columns for experts.
        links: `(text, name of the address)`, pages of a target of this kind only.
    """

    route: Fieldsets
    binding: Fieldsets
    target_facts: Fieldsets = ()
    labels: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()


class Kind(ABC):
    """One kind of target.

    Attributes:
        name: the value of `Target.kind`. label: as people read it.
        target_columns, route_columns: columns that only this kind uses.
        done: `{"create": "created"}`, an attempt's action and the word for it in the counts of a run.
        nothing: what a run says that had nothing to send.
        is_two_way: both ends edit: objects have replicas, and there may be conflicts.
        configuration: its keys in a configuration file.
        batch: objects that are claimed at a time; None: SYNC_BATCH.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    target_columns: ClassVar[tuple[str, ...]] = ()
    route_columns: ClassVar[tuple[str, ...]] = ()
    done: ClassVar[Mapping[str, str]]
    nothing: ClassVar[str]
    is_two_way: ClassVar[bool] = False
    batch: ClassVar[int | None] = None
    pages: ClassVar[Pages]
    configuration: ClassVar[Configuration]

    # --- configuration -----------------------------------------------------------------------------------------------
    def target_errors(self, target: "Target") -> Mapping[str, str]:
        """What is wrong with a target of this kind, by column."""
        return {}

    @abstractmethod
    def route_errors(self, route: "Route") -> Iterator[tuple[str, Iterable[ValidationError]]]:
        """What is wrong with a route to such a target, by column; its model is known to be declared."""

    @abstractmethod
    def carried(self, route: "Route") -> Mapping[str, str]:
        """What a route sends, `{"remote name": "local field"}`."""

    def default_lookup(self, route: "Route") -> list[str]:
        """The lookup of a route that names none when it is made."""
        return []

    def not_ready(self, route: "Route") -> str:
        """What a person has to do before anything travels, in a sentence; empty: nothing."""
        return ""

    # --- delivery ----------------------------------------------------------------------------------------------------
    @abstractmethod
    def deliver(
        self,
        run: "Run",
        routes: "RouteMap",
        route: "Route",
        bindings: "list[ClaimedBinding]",
        sender: "Sender",
        *,
        probe: bool,
    ) -> bool:
        """Bring claimed bindings' records in line with the live objects, and settle; whether anything was done."""

    def is_introduced(self, target: "Target") -> bool:
        """The target knows what it has to know of this node before it is sent anything."""
        return True

    def introduce(self, target: "Target", sender: "Sender", *, probe: bool = False) -> bool:
        """Contact the target without any object; whether it answered. A kind that can't is not contacted."""
        return False

    def can_introduce(self) -> bool:
        """A target of this kind can be contacted, and so probed, without any object."""
        return type(self).introduce is not Kind.introduce

    # --- reports and recovery ----------------------------------------------------------------------------------------
    @abstractmethod
    def preview(self, routes: "RouteMap", route: "Route", keys: Sequence[str]) -> Iterator[Planned]:
        """What a sync would send of these objects. Nothing is sent or written."""

    def requests(self, run: "Run") -> int:
        """How many requests a run made."""
        return run.attempts.count()

    def routers(self) -> "Sequence[Router]":
        """What targets of this kind ask of this node, as parts of its API."""
        return ()

    @abstractmethod
    def distrust(self, route: "Route") -> None:
        """After a restore: believe nothing that the bindings say of the target; all of them are locked and wanted."""


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Make a kind known; called once, from its `kind.py`."""
    _kinds[kind.name] = kind
    return kind


def kinds() -> Mapping[str, Kind]:
    """Every kind that is installed, by name."""
    return _kinds


def choices() -> list[tuple[str, str]]:
    """The kinds as a column's choices."""
    return [(kind.name, kind.label) for kind in _kinds.values()]


def two_way() -> list[str]:
    """The names of the kinds whose targets edit too."""
    return [kind.name for kind in _kinds.values() if kind.is_two_way]


def kind_of(target: "Target") -> Kind:
    """The kind of a target.

    Raises:
        TargetStoppedError: it is not installed here.
    """
    try:
        return _kinds[target.kind]
    except KeyError:
        raise TargetStoppedError(f"is a target of the kind {target.kind!r}, which is not installed here") from None


def unused_columns(kind: Kind, columns: Literal["target_columns", "route_columns"]) -> set[str]:
    """The columns that other kinds use and this one does not."""
    return {name for other in _kinds.values() for name in getattr(other, columns)} - {*getattr(kind, columns)}
