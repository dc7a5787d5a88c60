"""Operations on API keys: authenticate, revoke."""

import re
from datetime import timedelta
from typing import cast

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables

from backoffice.accounts.models import ApiKey, User, digest
from backoffice.kit.accounts import active_account
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.last_use import note_use

FORM = re.compile(r"bo_([0-9a-f]{12})_([0-9a-f]{64})")
LAST_USE = timedelta(minutes=1)  # between two writes of a key's last use, so that not every read writes


@sensitive_variables()
def user_of(credential: str) -> User | None:
    """Return the active user of a working key, limited to its scope; None if `credential` is not a working key.

    A new password does not end keys: programs go on, and each key is revoked on its own.
    """
    match = FORM.fullmatch(credential)
    key = match and ApiKey.objects.working().filter(prefix=match[1]).first()
    if not match or not key or not constant_time_compare(key.digest, digest(match[2])):
        return None
    note_use(ApiKey.objects.filter(pk=key.pk), "last_used_at", key.last_used_at, every=LAST_USE)
    user = cast(User | None, active_account(key.user_id))
    if user is not None:
        user.key, user.scope = key, key.scope
    return user


def revoke(key: ApiKey) -> bool:
    """Revoke `key` for good; return whether this call did it."""
    with transaction.atomic():
        is_done = ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()) == 1
        if is_done:
            record(Action.KEY_REVOKED, key)
    return is_done
