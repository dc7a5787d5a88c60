"""One decision of a person about many conflicts: take the values of one side.

Each is decided in a transaction of its own, within the person's permissions, and refused by itself if that is not
possible, so that one object prevents no other.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backoffice.kit.batches import batched
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import Again
from backoffice.kit.question import digest_of
from syncer.core.errors import NotPossibleError
from syncer.core.merge import EXISTS
from syncer.engine import many
from syncer.engine.many import Acted
from syncer.models import Replica, Route
from syncer.models.mapping import declarations
from syncer.targets.peer.conflicts import Open, conflict_decide, look
from syncer.targets.peer.rows import newest_history

SLICE = 20  # conflicts between two reports of a job
PAGE = 500  # conflicts that are read at once
Seen = Sequence[Any]  # a replica's primary key, and the token of what the person saw


class Side(StrEnum):
    """The sides whose values can be taken."""

    OURS = "ours"
    THEIRS = "theirs"


def open_among(replicas: "QuerySet[Replica]") -> list[tuple[int, str]]:
    """Return the conflicts that wait: `[(primary key, token), …]`, read some hundred at a time."""
    seen: list[tuple[int, str]] = []
    for some in batched(replicas.filter(conflicts__isnull=False).order_by("pk").iterator(PAGE), PAGE):
        tokens = _tokens(some)
        seen += [(replica.pk, tokens[replica.pk]) for replica in some if replica.pk in tokens]
    return seen


def _tokens(replicas: Sequence[Replica]) -> dict[int, str]:
    """Return digests of the replicas and of the newest history of their objects, `{primary key: digest}`."""
    by_model: dict[str, list[Replica]] = {}
    for replica in replicas:
        by_model.setdefault(replica.model, []).append(replica)
    tokens = {}
    for label in by_model.keys() & declarations().keys():
        newest = newest_history(Route(model=label), [replica.object_key for replica in by_model[label]])
        for one in by_model[label]:
            parts = (one.seen, one.fields, one.shadow, one.conflicts, newest.get(one.object_key))
            tokens[one.pk] = digest_of(json.dumps(part, sort_keys=True) for part in parts)
    return tokens


def decide_all(seen: Iterable[Seen], side: Side, *, user: Any, reason: str) -> Acted:
    """Take one side's values in each of these conflicts, as `conflict_decide` does in one."""
    return many.act(seen, lambda some: _decided(some, side, user, reason), size=SLICE)


def _decided(seen: Sequence[Seen], side: Side, user: Any, reason: str) -> Iterator[tuple[str, str]]:
    """Decide some conflicts; yield the name of each, and why it could not be decided, empty if it was."""
    replicas = Replica.objects.in_bulk([pk for pk, _token in seen])
    tokens = _tokens(list(replicas.values()))
    for pk, token in seen:
        if tokens.get(pk) != token:
            name = str(replicas.get(pk, pk))
            yield name, _("%(object)s has changed since you looked; decide it again.") % {"object": name}
            continue
        replica = replicas[pk]
        try:
            now = look(replica)
            values = values_of(now, side)
            conflict_decide(replica=replica, values=values, user=user, reason=reason, token=now.token)
        except (NotPossibleError, PermissionDenied) as error:
            yield str(replica), str(error) or _("You may not decide this.")
        except ValidationError as error:
            yield str(replica), " ".join(error.messages)
        else:
            yield str(replica), ""


def values_of(now: Open, side: Side) -> dict[str, Any]:
    """Return what one side says about each open question.

    Raises:
        NotPossibleError: the side says nothing, or several things, about one of them.
    """
    values: dict[str, Any] = {}
    for name in now.names:
        edits = now.replica.state.fields.get(name, ())
        said = [edit.value for edit in edits if (edit.node == settings.NODE) is (side is Side.OURS)]
        if side is Side.OURS and not said:
            said = [now.live is not None if name == EXISTS else (now.live or {}).get(name)]
        if len({str(value) for value in said}) != 1:
            text = _("%(object)s: there is no single value of %(field)s to take; decide it by itself.")
            raise NotPossibleError(text % {"object": now.replica, "field": name})
        values[name] = said[0]
    return values


def decide_job(progress: Progress, *, seen: list[Seen], side: str, reason: str) -> dict[str, int] | Again:
    """Take one side's values in many conflicts; the work of a job, within the permissions of who started it."""
    taken, user = Side(side), progress.user
    return many.act_in_turns(progress, seen, lambda some: _decided(some, taken, user, reason), size=SLICE)
