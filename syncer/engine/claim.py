"""Claims: a worker takes bindings for the length of a lease, by a conditional write, and makes deliveries of them."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from backoffice.kit import clock
from syncer.core.decide import Action, Known, Payload
from syncer.core.merge import VersionVector
from syncer.core.settle import Claim
from syncer.models import Binding, Route
from syncer.models.binding import DUE, NOT_BLOCKED
from syncer.models.routemap import RouteMap


@dataclass(frozen=True, kw_only=True)
class ClaimedBinding:
    """A claimed binding.

    Attributes:
        pk, key: the binding, and the key of its object.
        token: this claim's; a later claim has a higher one, and this one then settles nothing.
        ends: when the lease ends, by this process's monotonic clock, in seconds.
        last_remote_id: the id that the object's record last had, encoded.
        create_key, create_path: of an unanswered create, its Idempotency-Key and where it was sent.
        can_replay: the target still remembers that key.
        account: what a create that is made now is sent with, see `Target.account`.
        peer_seen: the edits that a peer is known to have seen.
    """

    pk: int
    key: str
    token: int
    ends: float
    known: Known
    claim: Claim
    last_remote_id: str | None = None
    create_key: UUID | None = None
    create_path: str = ""
    can_replay: bool = False
    account: str = ""
    peer_seen: VersionVector = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery, decided.

    Attributes:
        sent: the payload that the target will hold when it is done; None where there is no object.
        like: of a lookup, what the record holds that is looked for.
        create_path: where a new record is made.
        parent: the binding under whose record it then hangs.
        key: a create's Idempotency-Key.
    """

    binding: ClaimedBinding
    action: Action
    sent: Payload | None = None
    like: Payload | None = None
    create_path: str = ""
    parent: int | None = None
    key: UUID | None = None


def claimable(routes: RouteMap, route: Route, now: datetime) -> QuerySet[Binding]:
    """The bindings that a worker may take now. Each condition is looked at here and stored nowhere."""
    return Binding.objects.filter(
        DUE,
        NOT_BLOCKED,
        Q(not_before=None) | Q(not_before__lte=now),
        Q(lease_until=None) | Q(lease_until__lte=now),
        ~routes.waits(route),
        route=route,
    )


def claim(
    routes: RouteMap, route: Route, *, keys: list[str] | None, limit: int, lease: float, fresh: bool = False
) -> list[ClaimedBinding]:
    """Take up to `limit` bindings (of `keys`, if given) for `lease` seconds, those that nobody else is just taking.

    Committed when it returns; what is to be sent must be read after that. With `fresh` only such as have not failed.
    """
    ends = time.monotonic() + lease
    with transaction.atomic(durable=True):
        now = clock.now()
        due = claimable(routes, route, now)
        if keys is not None:
            due = due.filter(object_key__in=keys)
        if fresh:
            due = due.filter(tries=0)
        rows = list(due.order_by("pk").select_for_update(skip_locked=True, of=("self",))[:limit])
        Binding.objects.filter(pk__in=[row.pk for row in rows]).update(
            token=F("token") + 1, unconfirmed=True, lease_until=now + timedelta(seconds=lease)
        )
    return [_claimed_binding(row, route, ends, now) for row in rows]


def _claimed_binding(row: Binding, route: Route, ends: float, now: datetime) -> ClaimedBinding:
    return ClaimedBinding(
        pk=row.pk,
        key=row.object_key,
        token=row.token + 1,
        ends=ends,
        known=row.known,
        claim=Claim(wanted=row.wanted, was=row.unconfirmed, tries=row.tries),
        last_remote_id=row.last_remote_id,
        create_key=row.create_key,
        create_path=row.create_path,
        can_replay=row.can_replay(route, now),
        account=route.target.account,
        peer_seen=row.peer_seen or {},
    )
