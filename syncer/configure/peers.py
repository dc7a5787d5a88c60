"""The rules for peers in a configuration file that concern more than one target or an account."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError

from syncer.configure.document import Targets
from syncer.configure.faults import Faults
from syncer.models import Route
from syncer.targets.peer import PEER


def user_named(name: str) -> AbstractBaseUser:
    """Return the account with which a peer signs in here.

    Raises:
        ValidationError: there is no such account.
    """
    users = get_user_model()
    try:
        return users._default_manager.get_by_natural_key(name)
    except users.DoesNotExist as error:
        raise ValidationError(f"There is no user {name!r} here; create that account first") from error


def refuse_second_targets(targets: Targets, faults: Faults) -> None:
    """Report two targets of the file for one node; the database refuses a second one outside the file."""
    names: dict[str, str] = {}  # the name of the first target of each node
    for name, table in targets.items():
        node = table.get("peer", {}).get("node", "")
        if node and names.setdefault(node, name) != name:
            faults.report(("targets", name, "peer", "node"), f"{names[node]} is already the target for node {node!r}")


def other_authorities(model: str, targets: Targets, *, but: str) -> list[dict[str, Any]]:
    """Return the authorities of the routes of `model` to peers other than `but`: in the file, and outside it."""
    rows = Route.objects.filter(model=model, target__kind=PEER).exclude(target__name__in=targets)
    return list(rows.values_list("authority", flat=True)) + [
        route.get("authority", {})
        for name, table in targets.items()
        if name != but and table.get("kind") == PEER
        for route in table.get("routes", [])
        if route.get("model") == model
    ]
