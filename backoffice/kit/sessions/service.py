"""Operations on sessions: find, note their use, end, prune."""

from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.last_use import note_use
from backoffice.kit.sessions.client import client_of
from backoffice.kit.sessions.models import Session, SessionQuerySet, password_marks

SEEN_EVERY = timedelta(minutes=5)  # between two writes of when a browser was seen, so that not every page writes
PRUNE_EVERY = timedelta(minutes=1)


def current(request: HttpRequest) -> SessionQuerySet:
    """Return the session that `request` came with; none if it came with a key or a password."""
    if family := getattr(request, "session_family", None):
        return Session.objects.filter(family=family)
    if "Authorization" in request.headers or not request.session.session_key:
        return Session.objects.none()
    return Session.objects.filter(session_key=request.session.session_key)


def note_browser(request: HttpRequest) -> None:
    """Note that the browser of `request` was seen. A session that has ended meanwhile stays so."""
    last_seen_at = request.session.last_seen_at  # type: ignore[attr-defined] # of our store
    note_use(current(request), "last_seen_at", last_seen_at, every=SEEN_EVERY, **client_of(request))


def end(sessions: SessionQuerySet, account: AbstractBaseUser) -> int:
    """End these sessions of `account`, because somebody asked for it; return how many there were."""
    with transaction.atomic():
        ended, _ = sessions.delete()
        if ended:
            record(Action.SESSIONS_ENDED, account, number=ended)
    return ended


def end_outdated(account: AbstractBaseUser) -> None:
    """End the sessions of another password; all if the account is deactivated."""
    sessions = Session.objects.filter(user=account.pk)
    if account.is_active:
        sessions = sessions.exclude(password_mark__in=password_marks(account))
    sessions.delete()


def prune() -> int:
    """Delete sessions that have expired; return how many. Run every second or so, it writes at most once a minute."""
    now = timezone.now()
    due = Session.objects.filter(expire_date__lte=now - PRUNE_EVERY)
    return Session.objects.filter(expire_date__lte=now).delete()[0] if due.exists() else 0
