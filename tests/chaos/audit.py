"""What the database itself saw of the bindings: every claim and settle, noted by a trigger in the same transaction.

The engine is not asked, and can't tell it otherwise: who wrote (`application_name`, by connection), which claim it was
(`token`), and whether the lease of the claim before was still running.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

INSTALL = """
CREATE TABLE chaos_lane (
    n bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    pid integer NOT NULL DEFAULT pg_backend_pid(), who text NOT NULL DEFAULT current_setting('application_name'),
    binding bigint, token bigint, old_token bigint, lease timestamptz, old_lease timestamptz, remote_id text,
    in_doubt boolean, rejected boolean, wrote boolean, create_key text
);
CREATE INDEX ON chaos_lane (binding, token);
CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_lane
        (binding, token, old_token, lease, old_lease, remote_id, create_key, in_doubt, rejected, wrote)
    VALUES
        (NEW.id, NEW.token, OLD.token, NEW.lease_until, OLD.lease_until, NEW.remote_id, NEW.create_key,
         NEW.in_doubt, NEW.rejected IS NOT NULL,
         (NEW.delivered, NEW.unconfirmed, NEW.remote_id, NEW.agreed, NEW.create_key)
         IS DISTINCT FROM (OLD.delivered, OLD.unconfirmed, OLD.remote_id, OLD.agreed, OLD.create_key));
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_note AFTER UPDATE ON syncer_binding FOR EACH ROW
    WHEN ((NEW.token, NEW.lease_until, NEW.delivered, NEW.unconfirmed, NEW.remote_id, NEW.agreed, NEW.create_key,
           NEW.in_doubt, NEW.rejected IS NULL)
          IS DISTINCT FROM (OLD.token, OLD.lease_until, OLD.delivered, OLD.unconfirmed, OLD.remote_id, OLD.agreed,
           OLD.create_key, OLD.in_doubt, OLD.rejected IS NULL))
    EXECUTE FUNCTION chaos_note();
"""
# Whether this worker holds a claim now; and whether it does, and waits for nothing but answers.
AT_WORK = """
SELECT 1 FROM syncer_binding b JOIN chaos_lane l ON l.binding = b.id AND l.token = b.token AND l.lease IS NOT NULL
WHERE b.lease_until > clock_timestamp() AND l.who = %(who)s LIMIT 1
"""
WAITING = f"""
SELECT 1 WHERE EXISTS ({AT_WORK}) AND NOT EXISTS (
    SELECT 1 FROM pg_stat_activity WHERE application_name = %(who)s AND xact_start IS NOT NULL
)
"""
COLUMNS = "at, pid, who, binding, token, old_token, lease, old_lease, remote_id, create_key, in_doubt, rejected, wrote"
WORKER = "worker-"  # and its number: what workers call themselves at the database


@dataclass(frozen=True, kw_only=True)
class Note:
    """One write of a binding; `wrote`: of what a settle writes."""

    at: datetime
    pid: int
    who: str
    binding: int
    token: int
    old_token: int
    lease: datetime | None
    old_lease: datetime | None
    remote_id: str | None
    create_key: str | None
    in_doubt: bool
    rejected: bool
    wrote: bool

    @property
    def is_claim(self) -> bool:
        return self.token > self.old_token and self.lease is not None


@dataclass(kw_only=True)
class Claim:
    """One claim of a binding, and how it ended."""

    note: Note
    until: float = float("inf")  # Unix time at which it was settled, or taken over
    is_abandoned: bool = False  # it was never settled; the next claim found its lease there

    @property
    def at(self) -> float:
        return self.note.at.timestamp()

    @property
    def worker(self) -> int:
        return int(self.note.who.removeprefix(WORKER))


@dataclass(kw_only=True)
class Audit:
    """The notes, understood."""

    claims: dict[int, list[Claim]] = field(default_factory=lambda: defaultdict(list))  # by binding, in order
    early: list[Note] = field(default_factory=list)  # claims that found the lease before them still running
    late: list[Note] = field(default_factory=list)  # writes by a connection without the claim, or after its end
    doubts: int = 0  # how often an object came to be in doubt
    rejects: int = 0  # how often one came to be rejected
    records: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # remote ids there ever were
    creates: dict[str, int] = field(default_factory=dict)  # the binding of every Idempotency-Key

    @property
    def abandoned(self) -> list[Claim]:
        return [claim for claims in self.claims.values() for claim in claims if claim.is_abandoned]


def install() -> None:
    with connection.cursor() as cursor:
        cursor.execute(INSTALL)


def read() -> Audit:
    """All that was noted until now."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM chaos_lane ORDER BY n")
        names = COLUMNS.split(", ")
        notes = [Note(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
    audit, last = Audit(), dict[int, Note]()
    for note in notes:
        _understand(audit, note)
        before = last.get(note.binding)
        audit.doubts += note.in_doubt and not (before and before.in_doubt)
        audit.rejects += note.rejected and not (before and before.rejected)
        last[note.binding] = note
    return audit


def _understand(audit: Audit, note: Note) -> None:
    claims, at = audit.claims[note.binding], note.at.timestamp()
    if note.remote_id is not None:
        audit.records[note.binding].add(note.remote_id)
    if note.create_key is not None:
        audit.creates[note.create_key] = note.binding
    if note.token > note.old_token and note.old_lease is not None:
        if claims and claims[-1].until == float("inf"):
            claims[-1].is_abandoned, claims[-1].until = True, at
        if note.is_claim and note.old_lease > note.at:
            audit.early.append(note)
    if note.is_claim:
        claims.append(Claim(note=note))
    elif note.token == note.old_token and note.who.startswith(WORKER) and claims:
        if note.pid != claims[-1].note.pid or (note.wrote and note.old_lease is None):
            audit.late.append(note)
        if note.lease is None and note.old_lease is not None:
            claims[-1].until = at
