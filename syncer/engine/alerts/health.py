"""Whether a target is well, as operators are told: once when it goes bad, once when it is well again.

A target is bad while it is paused, or its circuit is open. Well again is only what was *seen* to be well: a person who
resumes a paused target has put it right or has not; the first good answer tells. So `bad_since` stays until then.

A target that goes bad and well by turns must not fill mailboxes: a change is told when it has lasted for
ALERT_AFTER_SECONDS, doubled with each time that the same was told of this target within an hour. If it is undone
before, neither is told: what operators believe is true again. A pause does not pass by itself, so it is told at once.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from syncer.core.outcome import unquoted
from syncer.models import Notice, Target

HOUR = timedelta(hours=1)
REASON_LENGTH = 512  # characters


def went_bad(target: Target, why: str, *, now: datetime) -> None:
    """Note it, in the caller's transaction, after the target's columns; operators are told unless they know.

    `why` is a whole sentence.
    """
    reason = unquoted(why)[:REASON_LENGTH]
    is_paused = Target.objects.filter(pk=target.pk).exclude(paused="").exists()
    if Target.objects.filter(pk=target.pk, bad_since=None).update(bad_since=now):
        _note(target, Notice.Kind.BAD, now=now, reason=reason, at_once=is_paused)
    elif is_paused:  # it was not answering, and now needs a person
        _untold(target, Notice.Kind.BAD).update(reason=reason, not_before=now)


def is_well(target: Target, *, now: datetime) -> None:
    """It answered well, is not paused, and its circuit is closed; in the caller's transaction."""
    well = Target.objects.filter(pk=target.pk, paused="", opened_at=None, bad_since__isnull=False)
    if well.update(bad_since=None):
        _note(target, Notice.Kind.WELL, now=now)


def _note(target: Target, kind: Notice.Kind, *, now: datetime, reason: str = "", at_once: bool = False) -> None:
    undoes = _untold(target, *(other for other in Notice.Kind if other != kind)).update(outcome=Notice.Outcome.OVER)
    is_over = bool(undoes) and not at_once
    Notice.objects.create(
        target=target,
        kind=kind,
        reason=reason,
        at=now,
        not_before=now if at_once else now + _patience(target, kind, now),
        outcome=Notice.Outcome.OVER if is_over else Notice.Outcome.OPEN,
    )


def _untold(target: Target, *kinds: Notice.Kind) -> QuerySet[Notice]:
    return Notice.objects.filter(target=target, kind__in=kinds, outcome=Notice.Outcome.OPEN, tries=0)


def _patience(target: Target, kind: Notice.Kind, now: datetime) -> timedelta:
    """30, 60, 120 … 3600 seconds: a target that flaps is told of some seven times an hour each way, and no more."""
    told = Notice.objects.filter(target=target, kind=kind, tries__gt=0, at__gt=now - HOUR).count()
    return min(timedelta(seconds=settings.ALERT_AFTER_SECONDS * 2.0 ** min(told, 16)), HOUR)
