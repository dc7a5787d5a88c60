import pytest

from content.messaging.models import Message
from syncer.models.mapping import declarations, declare

FIELDS = ("id", "bot", "direction", "text")


def from_relation(bot: object) -> str: ...
def from_stranger(client: str) -> str: ...
def from_nothing() -> str: ...
def from_any(*text: str) -> str: ...
def from_names(**text: str) -> str: ...
def from_position(text: str, /) -> str: ...
def from_fields(text: str, *, direction: str) -> str: ...


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
    stored = declarations()["messaging.Message"]
    declare(Message, fields=FIELDS, computed={"line": from_fields})
    try:
        declaration = declarations()["messaging.Message"]
        assert declaration.mappable == (*FIELDS, "line")
        assert (declaration.sources("line"), declaration.sources("text")) == (("text", "direction"), ("text",))
    finally:
        declare(
            Message,
            fields=stored.fields,
            natural_key=stored.natural_key,
            parent=stored.parent,
            authority=stored.authority,
            computed=stored.computed,
        )
