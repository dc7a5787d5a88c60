"""One delivery on its way, as data."""

from dataclasses import dataclass, field
from uuid import UUID

from syncer.core.decide import Action, Known, Payload
from syncer.core.merge import VersionVector
from syncer.core.settle import Claim


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
