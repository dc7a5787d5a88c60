"""Which failures count for an attempt to sign in, and how long it has to wait for them."""

import math
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import Error
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from backoffice.kit import clock
from backoffice.kit.clients import client_address
from backoffice.kit.database import is_unavailable
from backoffice.kit.sign_in import devices
from backoffice.kit.sign_in.models import Failures, KnownAddress

DELAY_MOST = 60  # seconds
FORGOTTEN = timedelta(hours=1)  # since the last failure
KNOWN_FOR = timedelta(days=90)  # since the last sign-in from an address


class Count(NamedTuple):
    """Failures that are counted together, by `key`; of them `free` cost no wait."""

    key: str
    free: int

    def delay(self, number: int) -> timedelta:
        """Return how long the next check waits after so many failures: 0 … 0, 1, 2, 4 … 60 seconds."""
        over = number - self.free
        return timedelta(seconds=0 if over < 0 else min(DELAY_MOST, 2 ** min(over, 10)))


class Counted:
    """What may have to wait, by its counts; one of them is None if it does not concern this client."""

    own: Count
    shared: Count | None = None

    @property
    def counts(self) -> dict[str, Count]:
        return {count.key: count for count in (self.own, self.shared) if count}

    def begin(self) -> int:
        """Return 0 if the password may be checked now, else the seconds until it may.

        Of attempts that begin at once, one checks a password where guesses are slowed down.
        """
        now = clock.now()
        rows = Failures.objects.filter(key__in=self.counts, last_at__gt=now - FORGOTTEN)
        slow = {row: wait for row in rows if (wait := self.counts[row.key].delay(row.number))}
        left = max((row.last_at + wait - now for row, wait in slow.items()), default=timedelta())
        if left > timedelta():
            return math.ceil(left.total_seconds())
        claims = [Failures.objects.filter(pk=row.pk, last_at=row.last_at).update(last_at=now) for row in slow]
        return 0 if all(claims) else 1

    def fail(self) -> None:
        """Count a failure."""
        now = clock.now()
        Failures.objects.filter(last_at__lte=now - FORGOTTEN).delete()
        for key in self.counts:
            Failures.objects.bulk_create([Failures(key=key, last_at=now)], ignore_conflicts=True)
            Failures.objects.filter(key=key).update(number=F("number") + 1, last_at=now)


class Attempt(Counted):
    """An attempt to sign in with a name and a password.

    Attributes:
        account: the account of that name; None if there is none.
        own: the count of the failures at this account, or name.
        shared: the count of those from this address at any account; None if it does not concern this attempt.
    """

    def __init__(self, request: HttpRequest, username: str) -> None:
        accounts = get_user_model()._default_manager.filter(**{get_user_model().USERNAME_FIELD: username})
        self.account: AbstractBaseUser | None = accounts.first()
        address, free = client_address(request), settings.SIGN_IN_FREE_FAILURES
        if self.account is not None:
            if device := devices.device_of(request, self.account):
                self.own = Count(f"device {device}", free["known"])
                return
            if address and is_known(address, self.account):
                self.own = Count(f"account {self.account.pk} at {address}", free["known"])
                return
            self.own = Count(f"account {self.account.pk}", free["account"])
        else:
            self.own = Count(f"no account {salted_hmac('sign_in', username).hexdigest()}", free["account"])
        if address:  # everybody would share an unknown one
            self.shared = Count(f"address {address}", free["address"])

    def succeed(self) -> None:
        """Forget the failures before. Basic authentication comes with each request: without any, nothing is written."""
        failures = Failures.objects.filter(key=self.own.key)
        if failures.exists():
            failures.delete()


class ResetRequest(Counted):
    """A request for a mail with which a password is set. Each counts, whosever the address is."""

    def __init__(self, request: HttpRequest, email: str) -> None:
        address, free = client_address(request), settings.SIGN_IN_FREE_FAILURES
        self.own = Count(f"reset {salted_hmac('sign_in.reset', email.casefold()).hexdigest()}", free["account"])
        if address:
            self.shared = Count(f"reset at {address}", free["address"])


def is_known(address: str, account: AbstractBaseUser) -> bool:
    """Return whether the account signed in from the address not long ago."""
    since = timezone.now().date() - KNOWN_FOR
    return KnownAddress.objects.filter(user=account.pk, address=address, seen_on__gte=since).exists()


def know(request: HttpRequest, account: AbstractBaseUser) -> bool:
    """Remember the address of a successful sign-in; return whether it is the account's first from there today."""
    address, today = client_address(request), clock.now().date()
    known = KnownAddress.objects.filter(user=account.pk, address=address, seen_on=today)
    if address is None or known.exists():
        return False
    try:
        KnownAddress.objects.update_or_create(user_id=account.pk, address=address, defaults={"seen_on": today})
        KnownAddress.objects.filter(user=account.pk, seen_on__lt=today - KNOWN_FOR).delete()
    except Error as error:
        if not is_unavailable(error):  # if it is, what is stored can still be read
            raise
        return False
    return True
