"""What a notice says, in an e-mail and to a webhook. It holds no content and no secret."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import NAMESPACE_OID, uuid5

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from syncer.models import Notice, Target, backlog

PAUSED = (
    "Nothing is sent to it until a person has put that right: then press Resume, or Sync now, on the target's page."
)
OPENED = "It is tried again by itself, with one request at a time, and goes on once one is answered."
PASSED = "By now it may be sent to again."
OFF = "By now it is switched off."


@dataclass(frozen=True, kw_only=True)
class Words:
    """A notice in words.

    Attributes:
        uid: the same whenever this notice is told; letters and digits.
        url: the target's page; only its path where the node's own address is not set.
        left: objects that wait to be sent.
    """

    notice: Notice
    uid: str
    url: str
    left: int

    @classmethod
    def of(cls, notice: Notice) -> Self:
        """The words, as the rows are now."""
        # With the time: a database that was restored gives the same number again, to another notice.
        uid = uuid5(NAMESPACE_OID, f"{settings.NODE} {notice.pk} {notice.at.timestamp()}").hex
        path = reverse("admin:syncer_target_change", args=[notice.target_id])
        left = backlog.left(notice.target).count()
        return cls(notice=notice, uid=uid, url=f"{settings.NODE_URL}{path}", left=left)

    @property
    def title(self) -> str:
        """The target's, in one line, as a subject must be."""
        return " ".join(str(self.notice.target).split())

    @property
    def headline(self) -> str:
        """What happened: `Demo remote is not well`."""
        return f"{self.title} is {'well again' if self.notice.kind == Notice.Kind.WELL else 'not well'}"

    @property
    def subject(self) -> str:
        return f"[{settings.NODE}] {self.headline}"

    @property
    def text(self) -> str:
        """An e-mail's: what happened, since when, why, what is kept, what to do."""
        notice = self.notice
        parts = [f"{self.headline}, since {_local(notice.at)}."]
        if notice.kind == Notice.Kind.BAD:
            parts += [f"Why: {notice.reason}", f"{_kept(self.left)} {_next(notice.target)}"]
        else:
            bad = _bad_before(notice)
            parts += [f"It was not well since {_local(bad.at)}: {bad.reason}"] if bad else []
            parts += ["What waits is sent now. There is nothing to do."]
        more = "What each message means: docs/operating.md."
        return "\n\n".join([*parts, f"The target's page: {self.url}\n{more}\n"])

    @property
    def event(self) -> dict[str, Any]:
        """A webhook's: `{"type": "target.bad", "timestamp": …, "data": {…}}`, as Standard Webhooks would have it."""
        notice = self.notice
        return {
            "type": f"target.{notice.kind}",
            "timestamp": _iso(notice.at),
            "data": {
                "node": settings.NODE,
                "target": notice.target.name,
                "title": self.title,
                "reason": notice.reason,
                "since": _iso(notice.at),
                "pending": self.left,
                "url": self.url,
            },
        }


def _next(target: Target) -> str:
    if not target.enabled:
        return OFF
    if target.paused:
        return PAUSED
    return OPENED if target.opened_at else PASSED


def _kept(left: int) -> str:
    waiting = "1 object waits" if left == 1 else f"{left} objects wait"
    return f"Nothing is lost: {waiting} to be sent, and later changes are kept too."


def _bad_before(notice: Notice) -> Notice | None:
    """The one that operators were told last."""
    earlier = Notice.objects.filter(target=notice.target, kind=Notice.Kind.BAD, tries__gt=0, pk__lt=notice.pk)
    return earlier.order_by("-pk").first()


def _local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
