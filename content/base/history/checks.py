"""System checks: every content model can have history, and the database has the triggers that write it."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.db import connections

from content.base.history import triggers
from content.base.history.rows import HistoryRow
from content.base.history.tables import recorded_models, recorded_tables


@register(Tags.models)
def check_models(**_: object) -> list[CheckMessage]:
    """Report models whose field names clash with those of history (E001) and models in two tables (E003)."""
    own = {field.name for field in HistoryRow._meta.get_fields()}
    messages: list[CheckMessage] = []
    for model in recorded_models():
        if taken := own & {field.name for field in model._meta.get_fields()}:
            text = f"{model._meta.label} has a field {min(taken)}, a name that its history needs."
            messages.append(Error(text, hint="Give the field another name.", obj=model, id="content.E001"))
        if model._meta.parents:
            text = f"{model._meta.label} is in two tables, so that no trigger sees all of its columns."
            messages.append(Error(text, hint="Inherit from an abstract model.", obj=model, id="content.E003"))
    return messages


@register(Tags.database)
def check_triggers(*, databases: Sequence[str] | None = None, **_: object) -> list[CheckMessage]:
    """Report missing and wrong triggers (`manage.py check --database default`).

    They are warnings: `migrate`, which creates the triggers, would stop at errors.
    """
    return [
        Warning(
            f"Triggers that write history are missing or wrong: {', '.join(faults)}.",
            hint=triggers.CURE,
            id="content.W002",
        )
        for alias in databases or ()
        if recorded_tables() <= {*connections[alias].introspection.table_names()}
        and (faults := triggers.faults(connections[alias]))
    ]
