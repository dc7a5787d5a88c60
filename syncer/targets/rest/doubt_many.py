"""One answer of a person to the questions about many objects.

Each is decided in a transaction of its own, and refused by itself if it has moved on since the person looked, so that
one object prevents no other and no writer waits for long.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import Again
from syncer.core.errors import NotPossibleError
from syncer.engine import many
from syncer.engine.many import Acted
from syncer.models import Binding
from syncer.models.binding import ASKED, BLOCKED
from syncer.targets.rest import REST, doubt

SLICE = 50  # objects between two reports of a job
Seen = Sequence[int]  # a binding's primary key, and its token when the person looked


class Answer(StrEnum):
    """The answers that can be given for many objects."""

    NOT_THERE = "not there"  # no record of them is there: they are created again
    ONLY_MATCH = "only match"  # the only possible match is their record


def asked_among(bindings: "QuerySet[Binding]", answer: Answer) -> list[tuple[int, int]]:
    """Return those of the bindings that this answer can be given for: `[(primary key, token), …]`, by primary key."""
    asked = bindings.filter(BLOCKED, ASKED, route__target__kind=REST).order_by("pk")
    if answer is Answer.NOT_THERE:
        return list(asked.values_list("pk", "token"))
    rows = asked.filter(candidates__isnull=False).values_list("pk", "token", "candidates").iterator(SLICE)
    return [(pk, token) for pk, token, candidates in rows if len(candidates or ()) == 1]


def decide_all(seen: Iterable[Seen], answer: Answer, *, user: AbstractBaseUser | AnonymousUser | None) -> Acted:
    """Give the answer for each of these objects, as `doubt.decide` does for one."""
    return many.act(seen, lambda some: _decided(some, answer, user), size=SLICE)


def _decided(
    seen: Sequence[Seen], answer: Answer, user: AbstractBaseUser | AnonymousUser | None
) -> Iterator[tuple[str, str]]:
    """Decide some objects; yield the name of each, and why it could not be decided, empty if it was."""
    bindings = Binding.objects.select_related("route__target").in_bulk([pk for pk, _token in seen])
    for pk, token in seen:
        binding = bindings.get(pk)
        if binding is None:
            yield f"binding {pk}", _("It is gone: its route was deleted.")
            continue
        try:
            remote_id = None if answer is Answer.NOT_THERE else _only_match(binding)
            doubt.decide(binding=binding, remote_id=remote_id, user=user, seen=token)
        except NotPossibleError as error:
            yield str(binding), str(error)
        else:
            yield str(binding), ""


def _only_match(binding: Binding) -> int | str:
    candidates = binding.candidates or []
    if len(candidates) != 1:
        text = _("%(object)s has %(number)d possible matches by now: decide it on its own page.")
        raise NotPossibleError(text % {"object": binding, "number": len(candidates)})
    return doubt.decoded(candidates[0]["id"])


def decide_job(progress: Progress, *, seen: list[Seen], answer: str) -> dict[str, int] | Again:
    """Give one answer for many objects; the work of a job. What is due then is sent by the workers."""
    many.check(progress)
    given, user = Answer(answer), progress.user
    return many.act_in_turns(progress, seen, lambda some: _decided(some, given, user), size=SLICE)
