"""What the engine's pages share."""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib import messages
from django.contrib.admin import site
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.kit import ui
from backoffice.kit.admin import BackofficeAdmin, ReadOnlyAdmin
from syncer.models import Binding, Run
from syncer.models.keys import pks
from syncer.models.mapping import declarations
from syncer.models.target import SYNC_PERMISSION
from syncer.reports.progress import runs_url
from syncer.reports.reading import may_read_all, unseen_objects
from syncer.reports.words import meaning

P = ParamSpec("P")
A = TypeVar("A")
View = Callable[Concatenate[A, HttpRequest, P], HttpResponse]


def posted(permission: str) -> Callable[[View[A, P]], View[A, P]]:
    """A view of an admin that changes something: POST only, and only with the permission."""

    def decorate(view: View[A, P]) -> View[A, P]:
        @wraps(view)
        def checked(admin: A, request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(admin, request, *args, **kwargs)

        return checked

    return decorate


def pk_or_404(text: str) -> int:
    """The key in an address.

    Raises:
        Http404: no row can have it.
    """
    if not (text.isdecimal() and len(text) <= 19):  # digits of a 64-bit number
        raise Http404
    return int(text)


def chip(word: str, text: str = "") -> SafeString:
    """One of the engine's words in its color."""
    return ui.chip(word, text, meaning=meaning(word))


def to_runs(request: HttpRequest, runs: list[Run]) -> HttpResponse:
    """Redirect to the page that shows these runs."""
    if runs:
        return HttpResponseRedirect(runs_url(runs))
    messages.warning(request, "Nothing to sync: every target is paused.")
    return HttpResponseRedirect(reverse("admin:index"))


CONTENT_COLUMNS = frozenset(
    {"agreed", "answer", "create_body", "create_path", "message", "blocked", "reason", "request", "url"}
)


class EngineAdmin(BackofficeAdmin):
    """The base of every page of the engine's own rows."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # A filter on a column that a page hides would tell what it holds, one guess after the other.
        hidden = CONTENT_COLUMNS.intersection(lookup.split("__"))
        return not hidden and bool(super().lookup_allowed(lookup, value, request))


class EngineRowsAdmin(EngineAdmin, ReadOnlyAdmin):
    """Whoever may sync may see what became of it; the content itself only who may view that."""

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        found = super().get_search_fields(request)
        return [name for name in found if name not in CONTENT_COLUMNS or may_read_all(request)]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_view_permission(request, obj)) or request.user.has_perm(SYNC_PERMISSION)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_module_permission(request)) or request.user.has_perm(SYNC_PERMISSION)


@dataclass(frozen=True)
class Named:
    """A local object as people know it.

    Attributes:
        name: `Post 5`. title: what it calls itself; empty: it is gone. url: its page, where this person may see it.
        unseen: why this person may not read what it holds, and what was sent of it; empty: they may.
    """

    name: str
    title: str
    url: str
    unseen: str = ""


def named(request: HttpRequest, bindings: Iterable[Binding]) -> dict[int, Named]:
    """The objects that bindings stand for, `{binding's pk: its object}`; one query a model."""
    by_model: dict[str, list[Binding]] = {}
    for binding in bindings:
        by_model.setdefault(binding.route.model, []).append(binding)
    found: dict[int, Named] = {}
    for label, rows in by_model.items():
        objects = named_keys(request, label, {row.object_key for row in rows})
        found |= {row.pk: objects[row.object_key] for row in rows}
    return found


def named_keys(request: HttpRequest, label: str, keys: Collection[str]) -> dict[str, Named]:
    """As `named`, of the objects of one model by their keys."""
    hidden = unseen_objects(request, label, keys)
    found = {key: Named(f"{label}:{key}", "", "", why) for key, why in hidden.items()}
    return found | _seen(request, label, [key for key in keys if key not in hidden])


def _seen(request: HttpRequest, label: str, keys: list[str]) -> dict[str, Named]:
    """The objects that this person may read."""
    declaration = declarations().get(label)
    if declaration is None:
        return {key: Named(f"{label} {key}", "", "") for key in keys}
    model = declaration.model
    by_key = dict(zip(keys, pks(model, keys), strict=True))
    live = model._default_manager.in_bulk(list(set(by_key.values())))
    name, page = str(model._meta.verbose_name).capitalize(), site._registry.get(model)
    may_see = page is not None and page.has_view_permission(request)
    found = {}
    for key in keys:
        obj = live.get(by_key[key])
        url = _url(model, obj.pk) if obj is not None and may_see else ""
        found[key] = Named(f"{name} {by_key[key]}", "" if obj is None else str(obj), url)
    return found


def _url(model: Any, pk: Any) -> str:
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(pk)])
    except NoReverseMatch:
        return ""


def title(found: Named) -> SafeString:
    """What the object calls itself, or that it is gone."""
    return format_html('<span class="sync-soft">{}</span>', found.unseen or found.title or "deleted here")


def linked(found: Named) -> SafeString:
    """The object's name and title, with its page behind them."""
    if not found.url:
        return format_html("{} {}", found.name, title(found))
    return format_html('<a class="sync-link" href="{}">{}</a> {}', found.url, found.name, title(found))


def pretty(value: Any) -> SafeString | str:
    """JSON for people."""
    if value is None:
        return "-"
    return format_html('<pre class="sync-json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))
