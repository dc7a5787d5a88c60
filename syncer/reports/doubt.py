"""What a person is shown who must say whether a record was made."""

from dataclasses import dataclass
from typing import Any

from syncer.core.lookup import encode_id
from syncer.core.state import Question
from syncer.models import Binding, Route
from syncer.models.keys import pks
from syncer.models.routemap import RouteMap
from syncer.targets.rest.doubt import question
from syncer.targets.rest.endpoint import Endpoint


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One object of which a person must decide something.

    Attributes:
        candidates: the records that may be it, as a look-up found them, encoded id and address.
        listed: the address at which the target lists its records.
    """

    binding: Binding
    question: Question
    candidates: list[tuple[str, str]]
    listed: str

    @property
    def is_gone(self) -> bool:
        return self.question is Question.GONE


def doubt_of(binding: Binding) -> Doubt | None:
    """What is to be decided of this binding; None: nothing."""
    asked = question(binding)
    if asked is None:
        return None
    endpoint = Endpoint.of(binding.route)
    found = [(one, endpoint.record(one)) for one in binding.candidates or ()]
    return Doubt(binding=binding, question=asked, candidates=found, listed=endpoint.url + endpoint.path)


def follows(binding: Binding, remote_id: int | str | None) -> str:
    """What is sent once it is decided that the record has this id, or (None) does not exist.

    Raises:
        TargetStoppedError: nobody can know, see `RouteMap`.
    """
    route, target = binding.route, binding.route.target
    is_wanted = _is_wanted(route, binding.object_key)
    if remote_id is None:
        if not is_wanted:
            return "Nothing is sent then: the object is gone here, or is not to be there."
        return (
            f"It is then created again, as it is now, with a new key. If it is there after all, {target} has it twice."
        )
    record = f"record {_told(remote_id)} at {target}"
    if not is_wanted:
        return f"{record[0].upper()}{record[1:]} is deleted then: the object is gone here, or is not to be there."
    gone = "it is created again" if route.missing == Route.Missing.RECREATE else "it is rejected"
    return f"All fields of the object are sent to {record} then. If there is no such record, {gone}."


def _told(remote_id: Any) -> str:
    return f"{encode_id(remote_id)} (a {'number' if isinstance(remote_id, int) else 'text'})"


def _is_wanted(route: Route, key: str) -> bool:
    model = route.declaration.model
    return RouteMap(route.target).wanted(route).filter(pk__in=pks(model, [key])).exists()
