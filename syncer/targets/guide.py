"""The interface of a guided setup: what a kind of target can find out for the person who sets one up.

Nothing is written, there or here, and everything takes a bounded time.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from syncer.targets.previews import Finding, Severity

if TYPE_CHECKING:
    from syncer.models import Route, Target


def look_wrong(findings: Sequence[Finding]) -> bool:
    return any(finding.severity is Severity.WRONG for finding in findings)


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What came of asking for a target's address.

    Attributes:
        request: `GET https://api.example.com/v1`.
        answered: the status, type and time of the answer, as words; empty where there was none.
        excerpt: the beginning of the answer, without secrets.
        paths: the paths that the answer names, which may be those of records.
    """

    findings: tuple[Finding, ...]
    request: str = ""
    answered: str = ""
    excerpt: str = ""
    paths: tuple[str, ...] = ()

    @property
    def looks_wrong(self) -> bool:
        return look_wrong(self.findings)


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """What the list of a route's records shows.

    Attributes:
        route: a copy of the route whose columns fit the answer; not saved.
        is_listed: whether there is a list; if not, the findings say why.
        values: of the first record, `{"author.id": 5}`; empty where there is none.
    """

    route: "Route"
    findings: tuple[Finding, ...]
    is_listed: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Example:
    """One of our objects, as a route would send it.

    Attributes:
        name: `news.Post:5`; empty where there is no object that would be sent.
        values: what each of its fields has, as JSON, `{"user_id": 5}`.
        request: the text of its request; empty where it can't be sent.
        fault: why it can't be sent, as a sentence.
    """

    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    request: str = ""
    fault: str = ""


class Guide(ABC):
    """What a guided setup asks of a kind of target."""

    @abstractmethod
    def reach(self, target: "Target") -> Reached:
        """Ask for the target's address without signing in."""

    @abstractmethod
    def sign_in(self, target: "Target") -> Reached:
        """Ask for the target's address, signed in."""

    @abstractmethod
    def likely_paths(self, route: "Route") -> list[str]:
        """Return the paths under which a route's records may be, by the name of its model, likely first."""

    @abstractmethod
    def sample(self, route: "Route", paths: Sequence[str]) -> Sampled:
        """List records at the first of these paths that has a list, and fit the route to the answer."""

    @abstractmethod
    def suggest(self, route: "Route", values: Mapping[str, Any], example: Example) -> "Route":
        """Return the route with the fields, formats and lookup that fit a record's `values` best."""

    @abstractmethod
    def example(self, route: "Route") -> Example:
        """Return one of our objects as the route would send it; the route need not be saved."""

    @abstractmethod
    def ids(self, values: Mapping[str, Any]) -> list[str]:
        """Return the places of a record that can hold its id."""

    @abstractmethod
    def written(self, route: "Route", name: str, value: object) -> Mapping[str, object]:
        """Return what each format that fits a local field makes of its value, `{"date": "2026-11-29"}`."""
