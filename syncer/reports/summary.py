"""The state of all targets in one sentence, for the top of the first page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit.estimates import total
from syncer.core.state import Health
from syncer.reports.overview import Overview
from syncer.reports.words import label

SENT = (Health.HEALTHY, Health.NEEDS_PERSON, Health.NOT_CONTACTED)  # what is due at such a target is sent


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What somebody who looks once a day has to know."""

    text: str  # "3 objects need you; 12 changes are on their way."
    needs_person: bool


def summary(overviews: Sequence[Overview]) -> Summary:
    """Return the sentence about these targets, read from their numbers."""
    needs, others = [*_needs(overviews)], [*_moves(overviews), *_holds(overviews)]
    if not (needs or others):
        return Summary(text=_("All in sync."), needs_person=False)
    parts = [*(needs or [_("Nothing needs you")]), *others]
    return Summary(text=f"{'; '.join(parts)}.", needs_person=bool(needs))


def _needs(overviews: Sequence[Overview]) -> Iterator[str]:
    if any(found.target.enabled and not found.has_worker for found in overviews):
        yield _("No worker is running")
    if number := total(found.needing for found in overviews):
        yield ngettext("%(number)s object needs you", "%(number)s objects need you", number) % {"number": number}
    for found in overviews:
        if found.health is Health.BLOCKED:
            yield _("%(target)s is blocked") % {"target": found.target}
        elif found.problem:
            yield _("What waits for %(target)s can't be read") % {"target": found.target}


def _moves(overviews: Sequence[Overview]) -> Iterator[str]:
    sent = [found for found in overviews if found.health in SENT]
    if number := total(found.moving for found in sent):
        text = ngettext("%(number)s change is on its way", "%(number)s changes are on their way", number)
        yield text % {"number": number}
    if number := total(found.by_hand for found in sent):
        text = ngettext("%(number)s change waits for Sync now", "%(number)s changes wait for Sync now", number)
        yield text % {"number": number}
    for found in overviews:
        if found not in sent and found.pending:
            text = ngettext(
                "%(number)s change for %(target)s is kept (%(state)s)",
                "%(number)s changes for %(target)s are kept (%(state)s)",
                found.pending,
            )
            yield text % {"number": found.pending, "target": found.target, "state": label(found.health)}


def _holds(overviews: Sequence[Overview]) -> Iterator[str]:
    if number := total(found.on_hold for found in overviews):
        yield ngettext("%(number)s object is on hold", "%(number)s objects are on hold", number) % {"number": number}
