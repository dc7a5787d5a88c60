"""The interface of a kind of target, and the registry of kinds.

A kind is one folder beside this file, whose `kind.py` registers one `Kind`. The engine, the models and the pages use
the registry and know no kind by name. This module imports only `core`, so that every layer above can use it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit.phrases import Phrase, phrase
from syncer.core.decide import Action
from syncer.core.errors import TargetStoppedError
from syncer.targets.configuration import Configuration

if TYPE_CHECKING:
    from ninja import Router

    from syncer.core.decide import ClaimedBinding
    from syncer.engine.sender import Sender
    from syncer.models import Route, Run, Target
    from syncer.models.routemap import RouteMap
    from syncer.targets.guide import Guide

Fieldsets = tuple[tuple[str | Promise | None, dict[str, Any]], ...]  # as Django's ModelAdmin has them


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One delivery that a sync would make.

    Attributes:
        name: the object, `news.Post:5`.
        record: the record's id at the target, as people read it; None where there is no record yet.
        fields: `{"remote name": (value now, value then)}`; None stands for "not known" and "none".
    """

    action: Action
    name: str
    record: str | None = None
    fields: Mapping[str, tuple[object, object]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What the first sync of a route makes of the records that the target has already.

    Attributes:
        equal: the keys of objects whose record is there and equal, so that nothing is sent.
        differing: of those with records that fit and differ, so that a person decides.
        overwritten: of those with such a record that ours is sent to.
        created: the number of objects without a record there.
        waiting: the number of those that can't be recognized before their parent's record is known.
        why: why the target could not be asked, as a sentence; the rest is then not known.
    """

    route: "Route"
    equal: frozenset[str] = frozenset()
    differing: frozenset[str] = frozenset()
    overwritten: frozenset[str] = frozenset()
    created: int = 0
    waiting: int = 0
    why: str = ""

    @property
    def found(self) -> frozenset[str]:
        """The keys of objects that have a record there, or may have one."""
        return self.equal | self.differing | self.overwritten

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> str:
        """What is known, as a sentence; a phrase where it may quote an answer."""
        if self.why:
            return phrase(
                "What it has of %(model)s already is not known: %(why)s", model=self.route.model, why=self.why
            )
        parts = [text % {"number": number} for number, text in self._numbers() if number]
        what = "; ".join(parts) or _("nothing is to be there")
        models = self.route.declaration.model._meta.verbose_name_plural
        return _("%(models)s: %(what)s.") % {"models": capfirst(models), "what": what}

    def _numbers(self) -> Iterator[tuple[int, str]]:
        """Yield what becomes of how many objects, as text with a place for the number."""
        number = len(self.equal)
        yield (
            number,
            ngettext(
                "%(number)d is there already and equal: nothing is sent",
                "%(number)d are there already and equal: nothing is sent",
                number,
            ),
        )
        number = len(self.overwritten)
        yield (
            number,
            ngettext(
                "%(number)d is there and different: ours are sent",
                "%(number)d are there and different: ours are sent",
                number,
            ),
        )
        number = len(self.differing)
        yield (
            number,
            ngettext(
                "%(number)d is there and different, waiting for you",
                "%(number)d are there and different, waiting for you",
                number,
            ),
        )
        yield self.created, ngettext("%(number)d is created", "%(number)d are created", self.created)
        yield (
            self.waiting,
            ngettext(
                "%(number)d is looked for once the parent's record is known",
                "%(number)d are looked for once the parent's record is known",
                self.waiting,
            ),
        )


class Severity(StrEnum):
    """How much a finding of a trial matters."""

    WRONG = "looks wrong"
    NOTE = "note"
    FINE = "fine"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that a trial of a target has found.

    Attributes:
        text: a sentence, with the cure where something looks wrong.
        column: the column of the route or, for a finding about the target, of the target that cures it.
        settings: the columns and values that cure it, where they are known: `{"items_field": "data"}`.
    """

    severity: Severity
    text: str
    column: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RouteTrial:
    """What a trial has found of one route.

    Attributes:
        request: the text of one of our objects as the request that it would become; empty where there is no object.
        name: of that object, `news.Post:5`.
        record: the first record that the target lists, as JSON; empty where it lists none.
    """

    route: "Route"
    findings: tuple[Finding, ...]
    name: str = ""
    request: str = ""
    record: str = ""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a trial of a target has found: of the target itself, and of each of its routes."""

    findings: tuple[Finding, ...] = ()
    routes: tuple[RouteTrial, ...] = ()

    @property
    def looks_wrong(self) -> bool:
        findings = [*self.findings, *(finding for route in self.routes for finding in route.findings)]
        return any(finding.severity is Severity.WRONG for finding in findings)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One kind of deliveries of a route that a run makes together.

    Attributes:
        has_record: whether their objects have a record at the target; None: with or without one.
        is_wanted: whether their objects are to exist there; None: whether they are or not.
        has_failed: whether their last try failed; None: whether it did or not.
    """

    route: "Route"
    has_record: bool | None = None
    is_wanted: bool | None = None
    has_failed: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The admin's fieldsets for targets, routes and bindings of a kind: columns and headings, no HTML.

    Attributes:
        route: the fieldsets of a route's form. One with the class `collapse` has one column on each line, for Django
            opens it only for errors of such columns.
        binding: the fieldsets of a binding between its head and the columns for experts.
        target_facts: the fieldsets with what the engine knows of a target.
        labels: `{"column": (label, help text)}` that differ in a route's form.
        shown_for: `{"column": (other column, its values)}` of a route; the column matters for these values alone.
        links: `(text, URL name)` of the pages that only a target of this kind has.
    """

    route: Fieldsets
    binding: Fieldsets
    target_facts: Fieldsets = ()
    labels: Mapping[str, tuple[str | Promise, str | Promise]] = field(default_factory=dict)
    shown_for: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    links: tuple[tuple[str | Promise, str], ...] = ()


class Kind(ABC):
    """One kind of target.

    Attributes:
        name: the value of `Target.kind`.
        label: the name that people read.
        target_columns, route_columns: the columns that only this kind uses.
        done: `{"create": "created"}`, the word for an attempt's action in the counts of a run.
        nothing: the message of a run that had nothing to send.
        is_two_way: whether both ends edit, so that objects have replicas and there may be conflicts.
        batch: the number of objects that are claimed at a time; None: SYNC_BATCH.
        pages: the fieldsets in the admin.
        formats: the ways in which a route can write a value, and what each of them writes, `{"date": "2026-11-29"}`.
        configuration: the keys in a configuration file.
        guide: what finds things out for a guided setup; None where the kind has none.
    """

    name: ClassVar[str]
    label: ClassVar[str | Promise]
    target_columns: ClassVar[tuple[str, ...]] = ()
    route_columns: ClassVar[tuple[str, ...]] = ()
    done: ClassVar[Mapping[str, str]]
    nothing: ClassVar[Phrase]
    is_two_way: ClassVar[bool] = False
    batch: ClassVar[int | None] = None
    pages: ClassVar[Pages]
    formats: ClassVar[Mapping[str, str]] = {}
    configuration: ClassVar[Configuration]
    guide: ClassVar["Guide | None"] = None

    # --- configuration -----------------------------------------------------------------------------------------------
    def target_errors(self, target: "Target") -> Mapping[str, str]:
        """Return the errors of a target of this kind, `{"column": message}`."""
        return {}

    @abstractmethod
    def route_errors(self, route: "Route") -> Iterator[tuple[str, Iterable[ValidationError]]]:
        """Yield the errors of a route to such a target, (column, errors); the route's model is a declared one."""

    @abstractmethod
    def carried(self, route: "Route") -> Mapping[str, str]:
        """Return the local and computed fields that a route sends, `{"remote name": "local name"}`."""

    def default_lookup(self, route: "Route") -> list[str]:
        """Return the lookup for a new route that names none."""
        return []

    def not_ready(self, route: "Route") -> str:
        """Return what a person has to do before anything is sent, as a sentence; empty where nothing is to be done."""
        return ""

    # --- delivery ----------------------------------------------------------------------------------------------------
    @abstractmethod
    def deliver(
        self,
        run: "Run",
        routes: "RouteMap",
        route: "Route",
        batches: "Iterable[list[ClaimedBinding]]",
        sender: "Sender",
        *,
        probe: bool,
    ) -> bool:
        """Make the records of claimed bindings equal to the live objects, and settle them.

        Args:
            batches: the claims, each made when it is taken. The next one is taken only if something of this one could
                be sent: what waits for another object would be claimed again and again.

        Returns:
            Whether anything was done.
        """

    def steps(self, routes: "RouteMap") -> "list[Step]":
        """Return the order in which a run delivers: by default route by route, parents first."""
        return [Step(route=route) for route in routes.parents_first]

    def prepare(self, run: "Run", routes: "RouteMap", sender: "Sender", *, probe: bool = False) -> bool:
        """Do what has to be done before the first delivery to a target; return whether it is done, or not needed."""
        return True

    def is_introduced(self, target: "Target") -> bool:
        """Return whether the target knows this node well enough to be sent objects."""
        return True

    def introduce(self, target: "Target", sender: "Sender", *, probe: bool = False) -> bool:
        """Contact the target without an object, and return whether it answered; by default no kind does so."""
        return False

    def can_introduce(self) -> bool:
        """Return whether a target of this kind can be contacted, and so probed, without an object."""
        return type(self).introduce is not Kind.introduce

    # --- reports and recovery ----------------------------------------------------------------------------------------
    @abstractmethod
    def preview(self, routes: "RouteMap", route: "Route", keys: Sequence[str]) -> Iterator[Planned]:
        """Yield what a sync would send of the objects with these keys. Nothing is sent or written."""

    def adoptions(self, routes: "RouteMap", *, why_not: str = "") -> Sequence[Adoption]:
        """Return what the next sync makes of records that the target has already, for each route that still looks.

        Nothing is written. `why_not`: why the target is not to be asked; by default there is nothing to look for.
        """
        return ()

    def trial(self, target: "Target") -> Trial | None:
        """Try the target's settings without writing anything, there or here; None where the kind has no trial.

        It takes a bounded time, and works for a paused target and for routes that are disabled.
        """
        return None

    def requests(self, run: "Run") -> int:
        """Return the number of requests that a run made."""
        return run.attempts.count()

    def routers(self) -> "Sequence[Router]":
        """Return the parts of this node's API that targets of this kind call."""
        return ()

    @abstractmethod
    def distrust(self, route: "Route") -> None:
        """Distrust, after a restore, what the bindings say of the target; the caller has locked and planned them.

        Tokens are raised by LOST_CLAIMS, so that no delivery that began after the backup settles anything.
        """


LOST_CLAIMS = 1_000_000  # of one object, that a restored database may not know of

_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Register a kind and return it; called once, from its `kind.py`."""
    _kinds[kind.name] = kind
    return kind


def kinds() -> Mapping[str, Kind]:
    """Return every installed kind, `{name: kind}`."""
    return _kinds


def choices() -> list[tuple[str, str | Promise]]:
    """Return the kinds as the choices of a column."""
    return [(kind.name, kind.label) for kind in _kinds.values()]


def two_way() -> list[str]:
    """Return the names of the kinds whose targets edit too."""
    return [kind.name for kind in _kinds.values() if kind.is_two_way]


def kind_of(target: "Target") -> Kind:
    """Return the kind of a target.

    Raises:
        TargetStoppedError: the kind is not installed here.
    """
    try:
        return _kinds[target.kind]
    except KeyError:
        why = phrase(
            "%(target)s is of the kind '%(kind)s', which is not installed here", target=str(target), kind=target.kind
        )
        raise TargetStoppedError(why) from None


def unused_columns(kind: Kind, columns: Literal["target_columns", "route_columns"]) -> set[str]:
    """Return the columns that other kinds use and this one does not."""
    return {name for other in _kinds.values() for name in getattr(other, columns)} - {*getattr(kind, columns)}
