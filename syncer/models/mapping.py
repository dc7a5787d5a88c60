"""The words in which a domain's `sync.py` says what of a model may travel. Declaring does nothing by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import models

from syncer.core.merge import ASK, EXISTS

__all__ = ["ASK", "EXISTS", "Declaration", "declarations", "declare"]


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a domain allows for one model.

    Attributes:
        model: the model itself.
        fields: the names of the fields that may travel; a route can map only these.
        natural_key: the fields that tell two objects apart where no key is shared.
        parent: the foreign key whose record must exist at the target first.
        authority: which node wins when both changed the same field, `{"field": "node"}`; under EXISTS, when one changed
            what the other deleted.
    """

    model: type[models.Model]
    fields: tuple[str, ...]
    natural_key: tuple[str, ...] = ()
    parent: str | None = None
    authority: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The model's name in routes, `news.Post`."""
        return self.model._meta.label


_declarations: dict[str, Declaration] = {}


def declare(
    model: type[models.Model],
    *,
    fields: tuple[str, ...],
    natural_key: tuple[str, ...] = (),
    parent: str | None = None,
    authority: Mapping[str, str] | None = None,
) -> None:
    """Let `fields` of `model` travel. Called once a model, from its domain's `sync.py`.

    Raises:
        FieldDoesNotExist: a name is not a field of the model.
        ValueError: `natural_key`, `parent` or `authority` names a field that is not in `fields`.
    """
    for name in fields:
        model._meta.get_field(name)
    named = {*natural_key, *([parent] if parent else []), *(authority or {})} - {EXISTS}
    if stray := named - set(fields):
        raise ValueError(f"{model._meta.label}: {', '.join(sorted(stray))} must be among the fields that may travel.")
    _declarations[model._meta.label] = Declaration(
        model=model, fields=fields, natural_key=natural_key, parent=parent, authority=authority or {}
    )


def declarations() -> Mapping[str, Declaration]:
    """All that was declared, by model label."""
    return _declarations
