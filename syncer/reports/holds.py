"""What follows when objects are held or released, and which are on hold, as pages and programs tell it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from syncer.engine.holding import Released
from syncer.models import Binding, Target
from syncer.models.binding import BLOCKED


@dataclass(frozen=True, kw_only=True)
class Holds:
    """What is on hold: its number, and the first of it."""

    number: int
    first: list[Binding]


def on_hold(*, target: Target | None = None, model: str = "") -> "QuerySet[Binding]":
    """Return the bindings of objects on hold, those held last first."""
    held = Binding.objects.filter(BLOCKED, on_hold=True).select_related("route__target")
    held = held if target is None else held.filter(route__target=target)
    return (held.filter(route__model=model) if model else held).order_by("-held_at", "-pk")


def listed(rows: "QuerySet[Binding]", most: int) -> Holds:
    return Holds(number=rows.count(), first=list(rows[:most]))


def as_json(bindings: Iterable[Binding]) -> list[dict[str, object]]:
    """Return objects on hold as JSON: `[{"object", "target", "at", "by", "reason", "changed"}, …]`."""
    return [
        {
            "object": str(binding),
            "target": binding.route.target.name,
            "at": binding.held_at,
            "by": binding.held_by,
            "reason": binding.held_why,
            "changed": binding.due,
        }
        for binding in bindings
    ]


def hold_follows() -> list[str]:
    """Return the sentences that say what follows when objects are held."""
    return [
        _(
            "Nothing is sent for what is on hold until somebody releases it: no create, no update and no delete. All "
            "other objects go on, and those on hold can be edited as always."
        ),
        _(
            "What refers to an object that is not at the target yet waits for it. A request that is under way is not "
            "called back, and what a peer sends is still taken in."
        ),
    ]


def release_follows() -> list[str]:
    """Return the sentences that say what follows when objects are released."""
    return [_("Each is sent as it is now, if that differs from what the target holds; edits in between are not.")]


def held(number: int, *, targets: int) -> str:
    """Say that so many objects were put on hold, counted for each of the targets."""
    if not number:
        return _("All of these were on hold already; each keeps its reason.")
    if targets > 1:
        return _("On hold now, counted at each target: %(number)d.") % {"number": number}
    text = ngettext("%(number)d object is on hold now.", "%(number)d objects are on hold now.", number)
    return text % {"number": number}


def released(outcome: Released, *, targets: int) -> str:
    """Say that so many objects were released, counted for each of the targets."""
    if not outcome.number:
        return _("None of these was on hold.")
    text = ngettext("%(number)d object is released.", "%(number)d objects are released.", outcome.number)
    if targets > 1:
        text = _("Released, counted at each target: %(number)d.")
    sentences = [text % {"number": outcome.number}]
    if outcome.number == outcome.due == 1:
        sentences.append(_("It has a change to send."))
    elif outcome.due:
        text = ngettext("%(due)d of them has a change to send.", "%(due)d of them have changes to send.", outcome.due)
        sentences.append(text % {"due": outcome.due})
    return " ".join(sentences)
