"""One object at one target in full: what the last request said, what would be sent now, and what can be done."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from backoffice.kit import clock, moments
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer.core.answer_words import complaints, lines_of
from syncer.core.errors import SyncError
from syncer.core.state import Health, State, health_of
from syncer.models import Attempt, Binding, Route, Target
from syncer.models.keys import key_of, pks
from syncer.models.route import MANUAL
from syncer.models.routemap import Link, RouteMap
from syncer.reports.states import ObjectState
from syncer.targets.base import kind_of
from syncer.targets.previews import Planned

LONGEST = 1000  # characters of an answer that is not JSON


@dataclass(frozen=True, kw_only=True)
class FieldLine:
    """One field that a sync would send.

    Attributes:
        ours: our value now; None: not sent.
        there: what the target is last known to hold; None: not known.
        said: what the target answered about this field; empty: nothing.
    """

    name: str
    ours: object
    there: object
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a person needs to know to help one object on.

    Attributes:
        advice: sentences that say what can be done.
        planned: what a sync would send now; None: nothing.
        problem: why that can't be told; empty if it can.
        last: the last request for the object; None: none was made, or it was pruned.
        answer: its answer, as `[(name, text), …]`.
        blockers: the bindings that it waits for.
    """

    advice: list[str]
    planned: Planned | None = None
    fields: tuple[FieldLine, ...] = ()
    problem: str = ""
    last: Attempt | None = None
    answer: tuple[tuple[str, str], ...] = ()
    blockers: tuple[Binding, ...] = ()


def situation_of(binding: Binding, state: ObjectState) -> Situation:
    """Return the situation of an object; nothing is sent."""
    last = binding.attempts.exclude(action=Attempt.Action.EVIDENCE).first()
    is_refused = state.state in (State.REJECTED, State.RETRYING) and last is not None
    try:
        routes = RouteMap(binding.route.target)
        planned = _planned(routes, binding) if binding.due or binding.on_hold else None
        blockers = blockers_of(routes, binding) if state.state is State.PENDING and binding.due else ()
    except SyncError as error:
        return Situation(advice=advice_of(binding, state, ()), problem=localized(message_of(error)), last=last)
    said = complaints(last.answer, planned.fields) if planned and last and is_refused else {}
    return Situation(
        advice=advice_of(binding, state, blockers),
        planned=planned,
        fields=tuple(
            FieldLine(name=name, ours=ours, there=there, said=said.get(name, ""))
            for name, (there, ours) in (planned.fields.items() if planned else ())
        ),
        last=last,
        answer=tuple((name, localized(text)) for name, text in lines_of(localized(last.answer)[:LONGEST]))
        if last
        else (),
        blockers=blockers,
    )


def _planned(routes: RouteMap, binding: Binding) -> Planned | None:
    return next(iter(kind_of(routes.target).preview(routes, binding.route, [binding.object_key])), None)


def blockers_of(routes: RouteMap, binding: Binding) -> tuple[Binding, ...]:
    """Return the bindings of the parents, or the children, that must be sent before this one."""
    if not Binding.objects.filter(routes.waits(binding.route), pk=binding.pk).exists():
        return ()
    above = [_parent(link, binding) for link in routes.links_up(binding.route) if link.parent]
    missing = [row for row in above if row is not None and (row.remote_id is None or row.unconfirmed)]
    if missing:
        return tuple(missing)
    return tuple(binding.children.select_related("route__target").exclude(remote_id=None, create_body=None)[:3])


def _parent(link: Link, binding: Binding) -> Binding | None:
    """Return the binding of the object that the link leads to; None where there is none."""
    model = binding.route.declaration.model
    rows = model._default_manager.filter(pk__in=pks(model, [binding.object_key]))
    pk = rows.values_list(link.field, flat=True).first()
    if link.parent is None or pk is None:
        return None
    parents = Binding.objects.filter(route=link.parent, object_key=key_of(link.parent.declaration.model, pk))
    return parents.select_related("route__target").first()


def advice_of(binding: Binding, state: ObjectState, blockers: tuple[Binding, ...]) -> list[str]:
    """Return what can be done for the object, in sentences."""
    route, target = binding.route, binding.route.target
    stopped = _stopped(target, route)
    sentences = {
        State.IN_SYNC: [_("There is nothing to do.")],
        State.NOT_SYNCED: [_("It was deleted here, or the filter of its route leaves it out. There is nothing to do.")],
        State.SENDING: [_("There is nothing to do: its outcome is known in a moment.")],
        State.ON_HOLD: [_("Release it when it may go. It is sent then as it is at that time.")],
        State.CONFLICT: [_("Decide which of the edits stays.")],
        State.IN_DOUBT: [_("Look at the target, then answer the question here. Nothing is sent before.")],
        State.REJECTED: [
            _("It is not sent again by itself. Edit it, and the next sync sends it."),
            _("Or put right at the target what its answer names, and try again."),
        ],
        State.RETRYING: [*stopped, _again(state)],
        State.PENDING: [_waits(blockers)] if blockers else stopped or [_goes(route)],
    }
    return sentences[state.state]


def _stopped(target: Target, route: Route) -> list[str]:
    """Return why nothing at all is sent to the target now, and the cure; nothing if it is."""
    if not route.enabled:
        return [_("Its route is switched off; enable the route, and it goes.")]
    words = {
        Health.PAUSED: _("The target is paused: it goes after Resume."),
        Health.BLOCKED: _("The target is blocked: put right what its page says, then press Sync now."),
        Health.UNREACHABLE: _("The target is unreachable: it goes when the target answers again."),
        Health.RATE_LIMITED: _("The target asked us to wait: it goes after that, or with Sync now."),
    }
    health = health_of(target, clock.now())
    return [words[health]] if health in words else []


def _again(state: ObjectState) -> str:
    if state.next_try is None:
        return _("It is tried again automatically.")
    at = moments.text(state.next_try)
    return _("It is tried again automatically at %(at)s; Try again does it at once.") % {"at": at}


def _waits(blockers: tuple[Binding, ...]) -> str:
    if any(one.on_hold for one in blockers):
        return _("It waits for another object, which is on hold: it goes when that one is released.")
    return _("It waits for another object, and goes by itself after that one.")


def _goes(route: Route) -> str:
    if route.trigger == MANUAL:
        return _("Sync now sends it; without that it waits.")
    return _("It is sent automatically.")
