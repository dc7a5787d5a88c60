"""The objects that wait for a person who edits content: conflicts to decide, and what a target refused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from backoffice.kit.estimates import Count
from backoffice.kit.permissions import Person
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import phrase
from syncer.core.state import State
from syncer.models import Binding, Replica
from syncer.models.binding import DUE
from syncer.models.mapping import declarations
from syncer.reports import states
from syncer.reports.reading import live_objects, page_of, unseen_objects

READ = 100  # conflicts, and rejected objects, that are looked at
SHOWN = 8
REJECTED = DUE & Q(backlog=State.REJECTED)


@dataclass(frozen=True, kw_only=True)
class WaitingObject:
    """An object that waits for somebody who may change it."""

    state: State
    label: str  # of its model
    key: str
    why: str
    title: str = ""  # the object as a string; empty if it is deleted
    url: str = ""  # where it is decided, or edited; empty if it is deleted


@dataclass(frozen=True, kw_only=True)
class WaitingObjects:
    """What waits for one person."""

    number: Count
    first: Sequence[WaitingObject]


def waiting_for(request: HttpRequest) -> WaitingObjects:
    """Return the objects that wait and that this person may change, in a bounded number of statements."""
    person = Person(request.user)
    labels = [label for label, declaration in declarations().items() if person.may(declaration.model, "change")]
    conflicts, rejected = [*_conflicts(labels)], [*_rejected(labels)]
    seen = [*_visible(request, [*conflicts, *rejected])]
    words = "at least" if READ in (len(conflicts), len(rejected)) else ""
    return WaitingObjects(number=Count(len(seen), words), first=_titled(seen[:SHOWN]))


def _conflicts(labels: list[str]) -> Iterator[WaitingObject]:
    for replica in Replica.objects.waiting().filter(model__in=labels).order_by("conflict_at", "pk")[:READ]:
        url = reverse("admin:syncer_replica_change", args=[replica.pk])
        yield WaitingObject(
            state=State.CONFLICT, label=replica.model, key=replica.object_key, why=states.waiting(replica), url=url
        )


def _rejected(labels: list[str]) -> Iterator[WaitingObject]:
    routes = {"route__model__in": labels, "route__enabled": True, "route__target__enabled": True}
    for row in Binding.objects.filter(REJECTED, **routes).select_related("route__target").order_by("pk")[:READ]:
        why = localized(phrase("%(target)s %(why)s", target=str(row.route.target), why=row.reason))
        yield WaitingObject(state=State.REJECTED, label=row.route.model, key=row.object_key, why=why)


def _visible(request: HttpRequest, found: Sequence[WaitingObject]) -> Iterator[WaitingObject]:
    hidden = {label: unseen_objects(request, label, keys) for label, keys in _keys(found).items()}
    yield from (one for one in found if one.key not in hidden[one.label])


def _titled(found: Sequence[WaitingObject]) -> list[WaitingObject]:
    objects = {
        (label, key): obj for label, keys in _keys(found).items() for key, obj in live_objects(label, keys).items()
    }
    return [
        replace(one, title=str(obj), url=one.url or page_of(obj)) if (obj := objects.get((one.label, one.key))) else one
        for one in found
    ]


def _keys(found: Sequence[WaitingObject]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for one in found:
        keys.setdefault(one.label, []).append(one.key)
    return keys
