"""Going back to an earlier version of an object, or restoring a deleted one, from a row of its history."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from backoffice.kit.context import because
from backoffice.kit.history import column_values
from backoffice.kit.permissions import Person, Write, as_error, batch_refusals, refusals


def go_back(version: models.Model, stored: models.Model | None, *, user: Any, reason: str) -> None:
    """Save an object as it was in `version`, the instance of a history row; a deleted one is created under its key.

    Args:
        stored: the object as it is now, with its row locked; None if it is deleted.
        user: the account that asks for it; None for a program, which may do everything.
        reason: is recorded in the history.

    Raises:
        ValidationError: the version would not be valid now, or needs a permission that the user lacks.
    """
    version._state.adding = stored is None
    for field in version._meta.concrete_fields:
        parent: Any = field.related_model
        key = getattr(version, field.attname)
        if parent and key is not None and not parent._base_manager.filter(pk=key).exists():
            name = parent._meta.verbose_name
            text = _("Its %(name)s (%(key)s) no longer exists. Restore the %(name)s first, from its history.")
            raise ValidationError(text % {"name": name, "key": key})
    write = Write("add", version) if stored is None else Write("change", version, column_values(stored))
    if reasons := refusals(write, Person(user)):
        raise as_error(reasons)
    version.full_clean()
    with because(reason):
        version.save(force_insert=stored is None)


def restore_all(versions: Sequence[models.Model], *, user: Any, reason: str) -> None:
    """Create deleted objects of one model again, as they were in `versions`, instances of history rows; see `go_back`.

    It takes a few statements however many objects, and is to be called in a transaction: all of them come back or none.

    Raises:
        ValidationError: one of them would not be valid now, or needs a permission that the user lacks. Only `go_back`
            says which one, and why.
        IntegrityError: one of them is no longer possible.
    """
    for version in versions:
        version._state.adding = True
    refused = batch_refusals([Write("add", version) for version in versions], Person(user))
    if reasons := [reason for reasons in refused for reason in reasons]:
        raise as_error(reasons)
    links = [field for field in versions[0]._meta.concrete_fields if field.related_model]
    for field in links:
        parents: Any = field.related_model
        keys = {getattr(version, field.attname) for version in versions} - {None}
        if parents._base_manager.filter(pk__in=keys).count() < len(keys):
            raise ValidationError(_("A %(name)s no longer exists.") % {"name": parents._meta.verbose_name})
    for version in versions:
        version.clean_fields(exclude={field.name for field in links})
        version.clean()
    with because(reason):
        type(versions[0])._default_manager.bulk_create(versions)
