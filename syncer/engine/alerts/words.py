"""What an alert says, in an e-mail and to a webhook. It holds no content and no secret."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import NAMESPACE_OID, uuid5

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from syncer.models import Alert, Target, backlog

BLOCKED = (
    "Nothing is sent to it until a person has put that right: then press Resume, or Sync now, on the target's page."
)
OPENED = "It is retried automatically, with one request at a time, and goes on once one is answered."
PASSED = "By now it may be sent to again."
OFF = "By now it is paused."


@dataclass(frozen=True, kw_only=True)
class Words:
    """An alert in words.

    Attributes:
        uid: the same whenever this alert is told; letters and digits.
        url: the target's page; only its path where the node's own address is not set.
        left: objects that wait to be sent.
    """

    alert: Alert
    uid: str
    url: str
    left: int

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """The words, as the rows are now."""
        # With the time: a database that was restored gives the same number again, to another alert.
        uid = uuid5(NAMESPACE_OID, f"{settings.NODE} {alert.pk} {alert.at.timestamp()}").hex
        path = reverse("admin:syncer_target_change", args=[alert.target_id])
        left = backlog.left(alert.target).count()
        return cls(alert=alert, uid=uid, url=f"{settings.NODE_URL}{path}", left=left)

    @property
    def title(self) -> str:
        """The target's, in one line, as a subject must be."""
        return " ".join(str(self.alert.target).split())

    @property
    def headline(self) -> str:
        """What happened: `Demo remote is unhealthy`."""
        return f"{self.title} is {'healthy again' if self.alert.kind == Alert.Kind.HEALTHY else 'unhealthy'}"

    @property
    def subject(self) -> str:
        return f"[{settings.NODE}] {self.headline}"

    @property
    def text(self) -> str:
        """An e-mail's: what happened, since when, why, what is kept, what to do."""
        alert = self.alert
        parts = [f"{self.headline}, since {_local(alert.at)}."]
        if alert.kind == Alert.Kind.UNHEALTHY:
            parts += [f"Why: {alert.reason}", f"{_kept(self.left)} {_next(alert.target)}"]
        else:
            bad = _bad_before(alert)
            parts += [f"It was unhealthy since {_local(bad.at)}: {bad.reason}"] if bad else []
            parts += ["What waits is sent now. There is nothing to do."]
        more = "What each message means: docs/operating.md."
        return "\n\n".join([*parts, f"The target's page: {self.url}\n{more}\n"])

    @property
    def event(self) -> dict[str, Any]:
        """The webhook's body, in Standard Webhooks form: `{"type": "target.unhealthy", "timestamp", "data"}`."""
        alert = self.alert
        return {
            "type": f"target.{alert.kind}",
            "timestamp": _iso(alert.at),
            "data": {
                "node": settings.NODE,
                "target": alert.target.name,
                "title": self.title,
                "reason": alert.reason,
                "since": _iso(alert.at),
                "pending": self.left,
                "url": self.url,
            },
        }


def _next(target: Target) -> str:
    if not target.enabled:
        return OFF
    if target.blocked:
        return BLOCKED
    return OPENED if target.opened_at else PASSED


def _kept(left: int) -> str:
    waiting = "1 object waits" if left == 1 else f"{left} objects wait"
    return f"Nothing is lost: {waiting} to be sent, and later changes are kept too."


def _bad_before(alert: Alert) -> Alert | None:
    """The one that operators were told last."""
    earlier = Alert.objects.filter(target=alert.target, kind=Alert.Kind.UNHEALTHY, tries__gt=0, pk__lt=alert.pk)
    return earlier.order_by("-pk").first()


def _local(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
