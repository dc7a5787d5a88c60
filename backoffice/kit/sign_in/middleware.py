from collections.abc import Callable

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, ngettext

from backoffice.kit.api.middleware import API
from backoffice.kit.api.problems import ProblemError
from backoffice.kit.sign_in import devices


class SignInMiddleware:
    """Answer an attempt to sign in that has to wait with 429, whatever the view made of it; the innermost.

    One whose password is right, but which needs more, gets the reason (`request.sign_in_lacks`) from the API. A browser
    that signed in gets its cookie, see `devices`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if seconds := getattr(request, "sign_in_wait", 0):
            return slowed_down(request, seconds)
        if request.path_info.startswith(API) and (text := getattr(request, "sign_in_lacks", "")):
            return ProblemError(401, text).response()
        if account := getattr(request, "signed_in", None):
            devices.remember(request, response, account)
        return response


def slowed_down(request: HttpRequest, seconds: int) -> HttpResponse:
    """Return the answer to an attempt that has to wait: a problem under /api/, else a page."""
    if request.path_info.startswith(API):
        text = f"Too many failed sign-ins. Try again in {seconds} s."
        return ProblemError(429, text, headers={"Retry-After": str(seconds)}).response()
    context = {
        **admin.site.each_context(request),
        "title": gettext("Too many failed sign-ins"),
        "text": ngettext(
            "Too many failed sign-ins. Try again in a second.",
            "Too many failed sign-ins. Try again in %(seconds)s seconds.",
            seconds,
        )
        % {"seconds": seconds},
        "back_url": request.get_full_path(),
    }
    page = render(request, "admin/slowed_down.html", context, status=429)
    page["Retry-After"] = str(seconds)
    return page
