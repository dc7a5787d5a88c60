"""Set up, check and take away the second factor of an account."""

import logging

from django.db import transaction
from django.utils import timezone

from backoffice.accounts.models import User, digest
from backoffice.accounts.second_factor import codes
from backoffice.accounts.second_factor.models import RecoveryCode, SecondFactor
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.sealing import SealError, seal, unseal

log = logging.getLogger(__name__)
SEALED_ELSEWHERE = (
    "The second factor of account %s was sealed with another SECRET_KEY: add that to SECRET_KEY_FALLBACKS, or take the "
    "second factor away with remove_second_factor."
)


def set_up(user: User, secret: str, code: str) -> list[str] | None:
    """Give the account a second factor; return its recovery codes. All its sessions and tokens end.

    None if `code` is not of an app with `secret`, or the account has a second factor by now.
    """
    step = codes.step_of(secret, codes.plain(code))
    if step is None:
        return None
    with transaction.atomic():
        if _locked(user).second_factor_at is not None:
            return None
        SecondFactor.objects.create(user=user, sealed=seal(secret), last_step=step)
        _mark(user, is_set_up=True)
        record(Action.SECOND_FACTOR_SET_UP, user)
        return renew_recovery_codes(user)


def renew_recovery_codes(user: User) -> list[str]:
    """Give the account new recovery codes in place of all it has, and return them, to be shown once."""
    made = codes.new_recovery_codes()
    with transaction.atomic():
        _locked(user)  # else two at once would leave both their codes
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create([RecoveryCode(user=user, digest=_digest(code)) for code in made])
        record(Action.RECOVERY_CODES_MADE, user)
    return made


def remove(user: User) -> None:
    """Take the second factor of an account away. All its sessions and tokens end."""
    with transaction.atomic():
        SecondFactor.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        _mark(user, is_set_up=False)
        record(Action.SECOND_FACTOR_REMOVED, user)


def use(user: User, code: str) -> bool:
    """Return whether `code` is one of the account's, of the app or for recovery, and use it up."""
    text = codes.plain(code)
    return _use_code_of_app(user, text) or _use_recovery_code(user, text)


def _use_code_of_app(user: User, code: str) -> bool:
    factor = SecondFactor.objects.filter(user=user).first()
    if factor is None:
        return False
    try:
        step = codes.step_of(unseal(factor.sealed), code)
    except SealError:
        log.error(SEALED_ELSEWHERE, user.pk)
        return False
    return step is not None and SecondFactor.objects.filter(user=user, last_step__lt=step).update(last_step=step) == 1


def _use_recovery_code(user: User, code: str) -> bool:
    with transaction.atomic():
        is_used = RecoveryCode.objects.filter(user=user, digest=_digest(code)).delete()[0] == 1
        if is_used:
            left = RecoveryCode.objects.filter(user=user).count()
            record(Action.RECOVERY_CODE_USED, user, actor=user, left=left)
    return is_used


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _digest(code: str) -> str:
    return digest(codes.plain(code))


def _mark(user: User, *, is_set_up: bool) -> None:
    user.second_factor_at = timezone.now() if is_set_up else None
    user.save(update_fields=["second_factor_at"])
