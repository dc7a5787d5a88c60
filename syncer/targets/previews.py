"""What a kind of target says before anything is sent: planned deliveries, adoptions, and what a trial has found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from backoffice.kit.phrases import phrase
from syncer.core.decide import Action

if TYPE_CHECKING:
    from syncer.models import Route


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


# What becomes of so many objects, by the attribute of `Adoption` that counts them.
BECOMES = {
    "equal": ngettext_lazy(
        "%(number)d is there already and equal: nothing is sent",
        "%(number)d are there already and equal: nothing is sent",
        "number",
    ),
    "overwritten": ngettext_lazy(
        "%(number)d is there and different: ours are sent",
        "%(number)d are there and different: ours are sent",
        "number",
    ),
    "differing": ngettext_lazy(
        "%(number)d is there and different, waiting for you",
        "%(number)d are there and different, waiting for you",
        "number",
    ),
    "created": ngettext_lazy("%(number)d is created", "%(number)d are created", "number"),
    "waiting": ngettext_lazy(
        "%(number)d is looked for once the parent's record is known",
        "%(number)d are looked for once the parent's record is known",
        "number",
    ),
}


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
        numbers = {
            "equal": len(self.equal),
            "overwritten": len(self.overwritten),
            "differing": len(self.differing),
            "created": self.created,
            "waiting": self.waiting,
        }
        parts = [str(BECOMES[name] % {"number": number}) for name, number in numbers.items() if number]
        what = "; ".join(parts) or _("nothing is to be there")
        models = self.route.declaration.model._meta.verbose_name_plural
        return _("%(models)s: %(what)s.") % {"models": capfirst(models), "what": what}


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
