"""Whether a target is well, as operators are told: once when it goes bad, once when it is well again.

A target is bad while it is paused, or its circuit is open. Well again is only what was *seen* to be well: a person who
resumes a paused target has put it right or has not; the first good answer tells. So `bad_since` stays until then.
"""

from datetime import datetime

from syncer.models import Notice, Target
from syncer.reports.reading import unquoted


def went_bad(target: Target, why: str, *, now: datetime) -> None:
    """Note it, in the caller's transaction; operators are told unless they know. `why` is a whole sentence."""
    if Target.objects.filter(pk=target.pk, bad_since=None).update(bad_since=now):
        Notice.objects.create(target=target, kind=Notice.Kind.BAD, reason=unquoted(why)[:512], at=now)


def is_well(target: Target, *, now: datetime) -> None:
    """It answered well, is not paused, and its circuit is closed; in the caller's transaction."""
    well = Target.objects.filter(pk=target.pk, paused="", opened_at=None, bad_since__isnull=False)
    if well.update(bad_since=None):
        Notice.objects.create(target=target, kind=Notice.Kind.WELL, at=now)
