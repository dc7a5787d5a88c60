"""Record an act in the audit trail, in the transaction of the act, and write it to the log `audit`."""

import json
import logging
import re
from functools import partial
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Model

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.models import NAME_LENGTH, Entry
from backoffice.kit.context import cause

log = logging.getLogger("audit")
# A caller may put anything into an id of their own, also what has to be erased one day; the log has those.
RANDOM_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def record(
    action: Action, subject: Model | None = None, *, actor: Any = None, name: str | None = None, **details: object
) -> None:
    """Record that `actor` did `action` to `subject`.

    Args:
        actor: the account; None: that of the current request or job, if there is one.
        name: of the subject; by default what it calls itself. Must be given where that could hold content.
        details: values that JSON can hold; neither secrets nor content.
    """
    origin = cause()
    actor = actor or origin.user()
    if key := getattr(actor, "key", None):
        details["api_key"] = key.prefix
    is_account = actor is not None and actor.pk is not None
    entry = Entry(
        action=action,
        actor_id=actor.pk if is_account else None,
        actor_name=actor.get_username()[:NAME_LENGTH] if is_account else "",
        subject_type="" if subject is None else subject._meta.label,
        subject_id="" if subject is None else str(subject.pk),
        subject_name=("" if subject is None else str(subject) if name is None else name)[:NAME_LENGTH],
        details=details,
        address=origin.address,
        request_id=origin.request_id if RANDOM_ID.fullmatch(origin.request_id) else "",
    )
    entry.save(force_insert=True)
    transaction.on_commit(partial(log.info, "%s", _line(entry)), robust=True)


def _line(entry: Entry) -> str:
    """Return the entry as one line of JSON, without names and what is empty; the log has time and request."""
    names = ("action", "actor_id", "subject_type", "subject_id", "details", "address")
    values = {name: value for name in names if (value := getattr(entry, name))}
    return json.dumps(values, cls=DjangoJSONEncoder)
