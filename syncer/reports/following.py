"""What edits will cause at the targets, in sentences for the person who makes them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import CharField, Model, QuerySet
from django.db.models.functions import Cast
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit import clock
from backoffice.kit.batches import batched
from backoffice.kit.estimates import Count, count
from syncer.core.ceiling import FREE, is_too_many
from syncer.core.errors import SyncError
from syncer.core.state import Health, State, health_of
from syncer.models import Binding, Route, Run, Target
from syncer.models.keys import key_of
from syncer.models.route import CHANGE, MANUAL
from syncer.models.routemap import RouteMap
from syncer.reports.states import ObjectState
from syncer.reports.words import trigger

KEYS = 5_000  # of one statement


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One object that was written just now."""

    model: type[Model]
    pk: Any
    fields: frozenset[str] | None = None  # that changed; None: the object is new, or was deleted


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What one target loses if objects are deleted."""

    target: Target
    numbers: Mapping[type[Model], Count]  # records, by the model of their objects
    too_many: bool  # whether the deletes would wait for a person
    timing: str  # when they are sent, as a sentence; empty: at once

    def __str__(self) -> str:
        """Say it in sentences: "Fake API loses 1 post and 5 comments. …"."""
        what = named_numbers(self.numbers)
        loses = _("%(target)s loses %(what)s.") % {"target": self.target, "what": what}
        waits = _("They are so many that a person is asked again before they are deleted there.")
        return " ".join(filter(None, (loses, waits if self.too_many else "", self.timing)))


@dataclass
class _Sent:
    """What is sent to one target because of some edits, or why nothing is."""

    numbers: Counter[str] = field(default_factory=Counter)  # {"create": 1}
    why_not: str = ""
    timing: str = ""


def named_numbers(numbers: Mapping[type[Model], int]) -> str:
    """Return numbers of objects as people read them: "1 post and 5 comments"."""
    parts = [
        f"{number} {options.verbose_name if number == 1 else options.verbose_name_plural}"
        for options, number in ((model._meta, number) for model, number in numbers.items())
        if number
    ]
    return str(get_text_list(parts, _("and")))


# --- after a save ----------------------------------------------------------------------------------------------------
def following(edits: Collection[Edit]) -> list[str]:
    """Say what the targets will be sent because of these edits, one text for each target; none: nobody follows them."""
    sent: dict[Target, _Sent] = defaultdict(_Sent)
    for route, model in _routes({edit.model for edit in edits}):
        of_route = [edit for edit in edits if edit.model is model]
        try:
            _count(sent[route.target], RouteMap(route.target), route, of_route)
        except SyncError:
            sent[route.target].why_not = _("its settings need a person.")
        sent[route.target].timing = sent[route.target].timing or timing(route)
    return [_sentence(target, one) for target, one in sent.items()]


def _routes(models: Collection[type[Model]]) -> Iterator[tuple[Route, type[Model]]]:
    by_label = {model._meta.label: model for model in models}
    for route in Route.objects.filter(model__in=by_label, enabled=True).select_related("target"):
        yield route, by_label[route.model]


def _count(sent: _Sent, routes: RouteMap, route: Route, edits: Sequence[Edit]) -> None:
    model, travels = edits[0].model, route.sources
    keys = {edit.pk: key_of(model, edit.pk) for edit in edits}
    bindings = {row.object_key: row for row in Binding.objects.filter(route=route, object_key__in=keys.values())}
    wanted = set(routes.wanted(route).filter(pk__in=keys).values_list("pk", flat=True))
    for edit in edits:
        binding = bindings.get(keys[edit.pk])
        there = binding is not None and binding.remote_id is not None
        if binding is not None and binding.on_hold:
            sent.why_not = _("it is on hold.")
        elif edit.fields is not None and not edit.fields & travels:
            sent.why_not = _("what was changed does not travel there.")
        elif edit.pk in wanted:
            sent.numbers["update" if there else "create"] += 1
        elif there:
            sent.numbers["delete"] += 1
        else:
            sent.why_not = _("the filter of its route leaves it out.")


def _sentence(target: Target, sent: _Sent) -> str:
    if not +sent.numbers:
        return _("Nothing is sent to %(target)s: %(why)s") % {"target": target, "why": sent.why_not}
    words = {
        "create": ngettext("%(number)s create", "%(number)s creates", sent.numbers["create"]),
        "update": ngettext("%(number)s update", "%(number)s updates", sent.numbers["update"]),
        "delete": ngettext("%(number)s delete", "%(number)s deletes", sent.numbers["delete"]),
    }
    parts = [text % {"number": sent.numbers[word]} for word, text in words.items() if sent.numbers[word]]
    goes = _("%(what)s will go to %(target)s.") % {"what": get_text_list(parts, _("and")), "target": target}
    return f"{goes} {sent.timing}".strip()


def timing(route: Route) -> str:
    """Return when the route's target is sent what is due, as a sentence; empty: at once."""
    target, names = route.target, {"target": route.target}
    match health_of(target, clock.now()):
        case Health.PAUSED:
            return _("%(target)s is paused; this waits until it is resumed.") % names
        case Health.BLOCKED:
            return _("%(target)s is blocked; this waits until a person has put its settings right.") % names
        case Health.UNREACHABLE | Health.RATE_LIMITED:
            return _("%(target)s does not answer at the moment; this waits until it does.") % names
    if route.trigger == CHANGE:
        return ""
    if route.trigger == MANUAL:
        return _("This waits for the next Sync now.")
    return _("This waits for the next sync; there is one %(interval)s.") % {"interval": trigger(route.trigger)}


# --- before a delete, and before its undo ----------------------------------------------------------------------------
def losses(objects: Mapping[type[Model], "QuerySet[Any]"]) -> list[Loss]:
    """Return what each target loses if these objects are deleted; only targets that lose something.

    The cost grows with the objects, and is bounded: above 10,000 of one model they are "more than" that.
    """
    numbers: dict[Target, dict[type[Model], Count]] = defaultdict(dict)
    many: dict[Target, bool] = defaultdict(bool)
    timings: dict[Target, str] = {}
    for route, model in _routes(objects):
        keys = objects[model].order_by().values_list(Cast("pk", CharField()))
        bound = Binding.objects.filter(route=route, remote_id__isnull=False).order_by()
        if number := count(bound.filter(object_key__in=keys)):
            numbers[route.target][model] = number
            many[route.target] |= _are_too_many(number, bound, route)
            timings[route.target] = timing(route)
    in_order = {target: {model: of[model] for model in objects if model in of} for target, of in numbers.items()}
    return [
        Loss(target=target, numbers=of, too_many=many[target], timing=timings[target])
        for target, of in in_order.items()
    ]


def _are_too_many(number: int, bound: "QuerySet[Binding]", route: Route) -> bool:
    free = FREE if route.max_deletes is None else route.max_deletes
    return number > free and is_too_many(number, held=bound.count(), limit=route.max_deletes)


def restoring(objects: Mapping[type[Model], Sequence[Any]]) -> list[str]:
    """Say what the targets will be sent if deleted objects come back, given by their primary keys."""
    sent: dict[Target, _Sent] = defaultdict(_Sent)
    for route, model in _routes([model for model, pks in objects.items() if pks]):
        keys = [key_of(model, pk) for pk in objects[model]]
        bound = Binding.objects.filter(route=route, remote_id__isnull=False).order_by()
        there = sum(bound.filter(object_key__in=some).count() for some in batched(keys, KEYS))
        sent[route.target].numbers["create"] += len(keys) - there
        sent[route.target].why_not = _("it has not deleted its records yet.")
        sent[route.target].timing = timing(route)
    return [_sentence(target, one) for target, one in sent.items()]


# --- while it is sent ------------------------------------------------------------------------------------------------
def are_moving(states: Sequence[ObjectState]) -> bool:
    """Return whether one of these states will change soon by itself, so that a page should look again."""
    waiting = [state.route for state in states if state.state in (State.PENDING, State.RETRYING)]
    if any(state.state is State.SENDING for state in states):
        return True
    if any(route.trigger == CHANGE and health_of(route.target, clock.now()) is Health.HEALTHY for route in waiting):
        return True
    targets = {route.target_id for route in waiting}
    return bool(targets) and Run.objects.filter(target__in=targets, state__in=Run.OPEN).exists()
