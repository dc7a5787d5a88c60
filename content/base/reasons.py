"""The reason that a person gives for a change on a page: it goes to the history, as the API's does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from backoffice.kit.context import REASON_LENGTH, because

FIELD = "_reason"  # no field of a model begins so


def reason_of(request: HttpRequest) -> str:
    """Return the reason that a form was sent with; empty if none was given."""
    return request.POST.get(FIELD, "").replace("\0", "").strip()[:REASON_LENGTH]


def reason_context(request: HttpRequest) -> dict[str, object]:
    """Return what the template `content/reason.html` needs."""
    return {"reason": reason_of(request), "reason_field": FIELD, "reason_length": REASON_LENGTH}


@contextmanager
def given_reason(request: HttpRequest) -> Iterator[None]:
    """Record the reason of the request's form, if it has one, with every write in this context."""
    if reason := reason_of(request):
        with because(reason):
            yield
    else:
        yield


class ReasonAdmin(ModelAdmin):  # type: ignore[misc]
    """Asks on the change form why something is changed; the answer is optional."""

    change_form_after_template = "content/why.html"

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        with given_reason(request):
            page: HttpResponse = super().changeform_view(request, *args, **options)
        return page

    def render_change_form(self, request: HttpRequest, context: Any, **options: Any) -> HttpResponse:
        page: HttpResponse = super().render_change_form(request, context | reason_context(request), **options)
        return page
