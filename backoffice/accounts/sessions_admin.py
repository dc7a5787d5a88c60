"""The page of a person's sessions and API keys, where each can be ended; administrators have it of others too."""

from typing import cast

from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.accounts.keys_admin import sees_all
from backoffice.accounts.models import ApiKey, User
from backoffice.kit.pages import site_page
from backoffice.kit.sessions import service
from backoffice.kit.sessions.agents import name_of
from backoffice.kit.sessions.models import Session, SessionQuerySet

SHOWN = 50  # other sessions: a program that never renews its tokens begins one after the other
NEWEST = (F("last_seen_at").desc(nulls_last=True), "-pk")


def my_sessions(request: HttpRequest) -> HttpResponse:
    return sessions_page(request, cast(User, request.user), _("My sessions and keys"))


def sessions_page(request: HttpRequest, account: User, title: str) -> HttpResponse:
    """Show (GET) the sessions and keys of `account`, or end sessions (POST). The caller checks who may."""
    sessions = Session.objects.open_of(account)
    here = sessions & service.current(request)
    others = sessions.exclude(pk__in=here.values("pk"))
    if request.method == "POST":
        ended = service.end(_chosen(others, request.POST.get("end", "")), account)
        text = ngettext("%(number)s session is ended.", "%(number)s sessions are ended.", ended)
        messages.success(request, text % {"number": ended})
        return HttpResponseRedirect(request.path)
    is_own, number = account == request.user, others.count()
    return site_page(
        request,
        "accounts/sessions.html",
        title=title,
        account=account,
        is_own=is_own,
        here=[(session, name_of(session.agent)) for session in here],
        others=[(session, name_of(session.agent)) for session in others.order_by(*NEWEST)[:SHOWN]],
        number=number,
        more=max(0, number - SHOWN),
        shows_keys=is_own or sees_all(request),
        keys=ApiKey.objects.working().filter(user=account).order_by("-pk"),
        may_revoke=is_own or request.user.has_perm("accounts.change_apikey"),
    )


def _chosen(others: SessionQuerySet, chosen: str) -> SessionQuerySet:
    """Return the sessions of the button that was pressed: a number, or `all`."""
    if chosen == "all":
        return others
    return others.filter(pk=chosen) if chosen.isdecimal() else others.none()
