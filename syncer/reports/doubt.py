"""The question whether a record was made, or is still there, as pages and commands show it."""

from dataclasses import dataclass

from syncer.core.ids import encode_id
from syncer.core.state import Question
from syncer.models import Binding, Route
from syncer.models.keys import pks
from syncer.models.routemap import RouteMap
from syncer.targets.rest.doubt import question
from syncer.targets.rest.endpoint import Endpoint


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One object about which a person must answer a question."""

    binding: Binding
    question: Question
    candidates: list[tuple[str, str]]  # the possible matches that a look-up found: `[(encoded id, address), …]`
    listed: str  # the address at which the target lists its records

    @property
    def is_gone(self) -> bool:
        return self.question is Question.GONE


def doubt_of(binding: Binding) -> Doubt | None:
    """Return the question about this binding and what helps to answer it; None if there is no question."""
    open_question = question(binding)
    if open_question is None:
        return None
    endpoint = Endpoint.of(binding.route)
    candidates = [(kept["id"], endpoint.record(kept["id"])) for kept in binding.candidates or ()]
    return Doubt(
        binding=binding, question=open_question, candidates=candidates, listed=endpoint.url + endpoint.terms.path
    )


def follows(binding: Binding, remote_id: int | str | None) -> str:
    """Return the sentence that says what is sent after the decision that the record has this id; None: there is none.

    Raises:
        TargetStoppedError: the target's routes can't be read, see `RouteMap`.
    """
    route, target = binding.route, binding.route.target
    pk = pks(route.declaration.model, [binding.object_key])
    is_wanted = RouteMap(target).wanted(route).filter(pk__in=pk).exists()
    if remote_id is None:
        if not is_wanted:
            return "Nothing is sent then: the object is gone here, or is not to be there."
        return (
            f"It is then created again, as it is now, with a new key. If it is there after all, {target} has it twice."
        )
    kind = "number" if isinstance(remote_id, int) else "text"
    record = f"record {encode_id(remote_id)} (a {kind}) at {target}"
    if not is_wanted:
        return f"{record[0].upper()}{record[1:]} is deleted then: the object is gone here, or is not to be there."
    gone = "it is created again" if route.missing == Route.Missing.RECREATE else "it is rejected"
    return f"All fields of the object are sent to {record} then. If there is no such record, {gone}."
