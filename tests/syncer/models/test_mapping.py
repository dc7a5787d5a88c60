import pytest

from content.messaging.models import Message
from syncer.models.mapping import declarations, declare
from tests.syncer.support import computing

FIELDS = ("id", "bot", "direction", "text")


def from_relation(bot: object) -> None: ...
def from_stranger(client: str) -> None: ...
def from_nothing() -> None: ...
def from_any(*text: str) -> None: ...
def from_names(**text: str) -> None: ...
def from_position(text: str, /) -> None: ...
def from_fields(text: str, *, direction: str) -> None: ...


@pytest.mark.parametrize(
    ("computed", "why"),
    [
        ({"text": from_fields}, "'text' has the name of a field; give it another name"),
        ({"client": from_fields}, "'client' has the name of a field"),  # one that may not travel
        ({"bot_id": from_fields}, "'bot_id' has the name of a field"),
        ({"line": from_relation}, "'line' needs 'bot', a foreign key"),
        ({"line": from_stranger}, "'line' needs 'client', which is not among the fields that may travel"),
        ({"line": from_nothing}, "'line' has no parameters"),
        ({"line": from_any}, "'line' takes '*text: str'; name each field"),
        ({"line": from_names}, "'line' takes '**text: str'; name each field"),
        ({"line": from_position}, "'line' takes 'text: str'; name each field"),
    ],
)
def test_a_computed_field_that_can_not_be_made_from_what_travels_is_refused(computed, why):
    stored = declarations()["messaging.Message"]
    with pytest.raises(ValueError, match=r"messaging\.Message: the computed field ") as refused:
        declare(Message, fields=FIELDS, computed=computed)
    assert why in str(refused.value)
    assert declarations()["messaging.Message"] is stored


def test_a_computed_field_is_mapped_like_a_field_and_made_from_its_parameters():
    fields = declarations()["messaging.Message"].fields
    with computing(Message, line=from_fields):
        declaration = declarations()["messaging.Message"]
        assert declaration.mappable == (*fields, "line")
        assert (declaration.sources("line"), declaration.sources("text")) == (("text", "direction"), ("text",))
    assert declarations()["messaging.Message"].mappable == fields
