from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from backoffice.accounts.second_factor.backend import NOT_SET_UP
from backoffice.accounts.second_factor.demands import must_set_up
from backoffice.kit.api.middleware import API
from backoffice.kit.api.problems import ProblemError

ALWAYS = ("admin:second_factor", "admin:logout", "admin:jsi18n")


class SetUpFirstMiddleware:
    """Lead who has to have a second factor, and has none, to its page, whatever they ask for; after authentication.

    Requests without a session are judged where they sign in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return self.get_response(request)
        if request.path_info in map(reverse, ALWAYS) or not must_set_up(request.user):
            return self.get_response(request)
        if request.path_info.startswith(API):
            return ProblemError(403, NOT_SET_UP).response()
        return HttpResponseRedirect(reverse("admin:second_factor"))
