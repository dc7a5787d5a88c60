"""What is done with API keys: sign in, revoke."""

import re
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables

from backoffice.accounts.models import ApiKey, User, digest

FORM = re.compile(r"bo_([0-9a-f]{12})_([0-9a-f]{64})")
LAST_USE = timedelta(minutes=1)  # so often at most is the last use written: a read is not a write each time


@sensitive_variables()
def user_of(credential: str) -> User | None:
    """The active user of a key that works, limited to its scope; None: it is none, or no longer.

    A new password leaves keys alone: programs go on, and each key is revoked by itself.
    """
    found = FORM.fullmatch(credential)
    key = found and ApiKey.objects.working().select_related("user").filter(prefix=found[1]).first()
    if not found or not key or not constant_time_compare(key.digest, digest(found[2])):
        return None
    _use(key)
    user = key.user
    user.key, user.scope = key, key.scope
    return user


def _use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or key.last_used_at <= now - LAST_USE:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USE)  # else a concurrent request wrote it
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def revoke(key: ApiKey) -> bool:
    """End `key` for good. Returns whether it was not revoked before."""
    return ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()) == 1
