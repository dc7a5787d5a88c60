"""Validation of a peer's route, whose errors `Route.clean` raises, and whether it carries objects yet."""

from collections.abc import Iterable, Iterator, Mapping

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from backoffice.kit.phrases import phrase
from syncer.core.merge import EXISTS
from syncer.models import Route
from syncer.models.mapping import NOT_STORABLE, Declaration, is_storable, listed, wrong


def model_errors(declaration: Declaration) -> Iterator[ValidationError]:
    """Yield an error if two nodes could give the same key of this model to different objects."""
    if not isinstance(declaration.model._meta.pk, models.UUIDField):
        yield wrong(
            _(
                "%(model)s can't be shared with a peer: its keys are numbers that each node assigns on its own. "
                "A shared model has a UUID as its key"
            ),
            model=declaration.label,
        )


def natural_key_errors(declaration: Declaration, names: object) -> Iterator[ValidationError]:
    """Yield an error for each name that is not a field by which objects can be matched."""
    if not isinstance(names, list) or not is_storable(names):
        yield wrong(_('Give a list of fields: ["product_name", "created_at"]'))
        return
    for position, name in enumerate(names):
        if name not in declaration.fields:
            yield wrong(
                _("'%(name)s' is not a field of %(model)s that may travel; choose one of: %(choices)s"),
                at=position,
                name=name,
                model=declaration.label,
                choices=listed(declaration.fields),
            )


def authority_errors(
    declaration: Declaration, authority: object, others: Iterable[Mapping[str, str]]
) -> Iterator[ValidationError]:
    """Yield an error for each name that is not a field, each value that is not a node, and each disagreement.

    Args:
        authority: `{"field": "node"}`.
        others: the same of the other peers' routes of the model, which must agree.
    """
    if not is_storable(authority):
        yield wrong(str(NOT_STORABLE))
        return
    if not isinstance(authority, dict) or not all(isinstance(node, str) and node for node in authority.values()):
        yield wrong(_('Give fields and nodes: {"quantity": "store", "exists": "ask"}'))
        return
    for name in authority:
        if name != EXISTS and name not in declaration.fields:
            yield wrong(
                _("'%(name)s' is not a field of %(model)s that may travel; choose one of: %(choices)s"),
                at=name,
                name=name,
                model=declaration.label,
                choices=listed([*declaration.fields, EXISTS]),
            )
    for other in others:
        for name in sorted({*authority, *other}):
            if authority.get(name) != other.get(name):
                yield wrong(
                    _("Another peer's route of %(model)s decides '%(name)s' otherwise; all must say the same"),
                    model=declaration.label,
                    name=name,
                )


def other_authorities(route: Route) -> list[dict[str, str]]:
    """Return the authority of the other peers' routes of the model.

    An object has one state, whichever peer its edits come from, so all of them must agree.
    """
    if route.authorities is not None:
        return route.authorities
    others = Route.objects.filter(model=route.model, target__kind=route.target.kind)
    return list(others.exclude(target=route.target_id).values_list("authority", flat=True))


def not_matched(route: Route) -> str:
    """Return why the route carries nothing yet, and what to do about that; empty if it does carry objects."""
    if route.is_matched:
        return ""
    return phrase(
        "%(model)s has not been matched with %(peer)s yet: objects that both ends had already could be duplicated. "
        "Preview the matching and choose one: manage.py sync_match %(name)s",
        model=route.model,
        peer=route.target.peer_node,
        name=route.target.name,
    )
