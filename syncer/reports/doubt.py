"""The records that may be an object's, beside what we would send, as pages and commands show them to a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from syncer.core.errors import TargetStoppedError
from syncer.core.ids import encode_id
from syncer.core.likeness import is_equal
from syncer.core.state import Question, State, facts_of, state_of
from syncer.models import Binding, Route
from syncer.models.routemap import RouteMap
from syncer.targets.rest import REST
from syncer.targets.rest.doubt import is_wanted, question
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.payload import load, readable

SHOWN = 20  # candidates on a page


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One field of an object and of a record; `is_ours` and `is_theirs`: whether that side has the field at all."""

    name: str
    ours: object
    theirs: object
    is_ours: bool = True
    is_theirs: bool = True

    @property
    def differs(self) -> bool:
        """Whether the values are different, and not only spelled in another way."""
        return self.is_ours and self.is_theirs and not is_equal(self.ours, self.theirs)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A record that may be the object's.

    Attributes:
        encoded: its id as JSON text.
        address: where it is.
        fields: ours beside theirs; empty where nothing of the record was kept.
    """

    encoded: str
    address: str
    fields: tuple[Compared, ...] = ()

    @property
    def differing(self) -> int:
        return sum(field.differs for field in self.fields)


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One object whose record a person can name.

    Attributes:
        question: what they are asked; None if they are not.
        is_rejected: it was rejected and has no record, perhaps because the target has such a one already.
        candidates: the records that a lookup, an adoption or a refusal has found.
        listed: the address at which the target lists its records.
    """

    binding: Binding
    question: Question | None
    is_rejected: bool
    candidates: tuple[Beside, ...]
    listed: str

    @property
    def is_gone(self) -> bool:
        return self.question is Question.GONE

    @property
    def shown(self) -> tuple[Beside, ...]:
        return self.candidates[:SHOWN]

    @property
    def more(self) -> int:
        return max(0, len(self.candidates) - SHOWN)


def doubt_of(binding: Binding) -> Doubt | None:
    """Return what helps to name an object's record; None where the kind of target leaves nothing to name."""
    if binding.route.target.kind != REST:
        return None
    endpoint, kept = Endpoint.of(binding.route), binding.candidates or ()
    ours = _ours(binding) if kept else {}
    state = state_of(facts_of(binding, timezone.now()))
    return Doubt(
        binding=binding,
        question=question(binding),
        is_rejected=state is State.REJECTED and binding.remote_id is None,
        candidates=tuple(
            Beside(encoded=one["id"], address=endpoint.record(one["id"]), fields=compared(ours, one["shown"]))
            for one in kept
        ),
        listed=endpoint.url + endpoint.terms.path,
    )


def _ours(binding: Binding) -> Mapping[str, Any]:
    """Return what would be sent of the object; of one that can't be sent or is gone here, what its create sent."""
    try:
        wanted = load(RouteMap(binding.route.target), binding.route, [binding.object_key]).get(binding.object_key)
    except TargetStoppedError:
        wanted = None
    return readable(wanted.payload if wanted and not wanted.fault else binding.create_body or {})


def compared(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[Compared, ...]:
    """Return each field of either side; nothing where the record's fields are not known."""
    names = dict.fromkeys([*ours, *theirs]) if theirs else {}
    return tuple(
        Compared(
            name=name, ours=ours.get(name), theirs=theirs.get(name), is_ours=name in ours, is_theirs=name in theirs
        )
        for name in names
    )


def follows(binding: Binding, remote_id: int | str | None) -> str:
    """Return the sentences that say what is sent after the decision that the record has this id; None: there is none.

    Raises:
        TargetStoppedError: the target's routes can't be read, see `RouteMap`.
    """
    route, target = binding.route, binding.route.target
    if remote_id is None:
        if not is_wanted(binding):
            return _("Nothing is sent then: the object is gone here, or is not to be there.")
        text = _(
            "It is then created again, as it is now, with a new key. If it is there after all, %(target)s has it twice."
        )
        return text % {"target": target}
    record = _("%(id)s (a number)") if isinstance(remote_id, int) else _("%(id)s (a text)")
    words = {"record": record % {"id": encode_id(remote_id)}, "target": target}
    if not is_wanted(binding):
        text = _("Record %(record)s at %(target)s is deleted then: the object is gone here, or is not to be there.")
        return text % words
    sentences = [
        _("All fields of the object are sent to record %(record)s at %(target)s then.") % words,
        _("If there is no such record, it is created again.")
        if route.missing == Route.Missing.RECREATE
        else _("If there is no such record, it is rejected."),
    ]
    if binding.record not in (None, str(remote_id)):
        text = _("Record %(record)s, which it had until now, stays there as it is.")
        sentences.append(text % {"record": binding.record})
    return " ".join(sentences)
