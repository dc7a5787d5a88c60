"""Parts that the engine's pages share: base classes, guards of views, and objects by name."""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib import messages
from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter

from backoffice.kit import ui
from backoffice.kit.admin import BackofficeAdmin, BackofficeList, ReadOnlyAdmin
from backoffice.kit.numbers import key_number
from backoffice.kit.urls import admin_url
from syncer.models import Binding, Run, Target
from syncer.models.keys import pks
from syncer.models.mapping import declarations
from syncer.models.target import SYNC_PERMISSION
from syncer.reports import words
from syncer.reports.progress import runs_url
from syncer.reports.reading import may_read_all, unseen_objects

P = ParamSpec("P")
A = TypeVar("A")
M = TypeVar("M", bound=Model)
View = Callable[Concatenate[A, HttpRequest, P], HttpResponse]


def posted(permission: str) -> Callable[[View[A, P]], View[A, P]]:
    """Guard a view that changes something: only POST, and only with the permission."""

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
    """Return the primary key in an address.

    Raises:
        Http404: the text is not a number that a key can be.
    """
    if (key := key_number(text)) is None:
        raise Http404
    return key


def chip(word: str, text: str = "") -> SafeString:
    """Return one of the engine's words as a colored chip, with its meaning as the tooltip."""
    return ui.chip(word, text or words.label(word), meaning=words.meaning(word))


def when(column: str, *values: str) -> str:
    """Return the theme's condition, in JavaScript, that a column has one of these values, for `conditional_fields`.

    Whoever may only read has no input that could be asked, and sees every column.
    """
    return f"typeof {column} === 'undefined' || {[str(value) for value in values]}.includes({column})"


def to_runs(request: HttpRequest, runs: list[Run]) -> HttpResponse:
    """Redirect to the page of these runs, or to the start page if there are none."""
    if runs:
        return HttpResponseRedirect(runs_url(runs))
    is_any = Target.objects.exists()
    why = _("every target is paused.") if is_any else _("there is no target yet.")
    messages.warning(request, _("Nothing to sync: %(why)s") % {"why": why})
    return HttpResponseRedirect(reverse("admin:index"))


def live(request: HttpRequest, template: str, **context: object) -> HttpResponse:
    """Return a part of a page as it is now, for the script that keeps it up to date."""
    answer = TemplateResponse(request, template, context)
    answer["Cache-Control"] = "no-store"
    return answer


CONTENT_COLUMNS = frozenset(
    {"agreed", "answer", "candidates", "create_body", "create_path", "message", "blocked", "reason", "request", "url"}
)


class AnnotatedList(BackofficeList):
    """A list whose admin reads what its columns show for all rows of a page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.model_admin.annotate(request, self.result_list)


class ModelFilter(DropdownFilter):  # type: ignore[misc]
    """A filter by the model of an object; `column` is the lookup that leads to its label."""

    title = gettext_lazy("kind of content")
    parameter_name = "model"
    column: str

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(label, label) for label in declarations()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[M]") -> "QuerySet[M]":
        return queryset.filter(**{self.column: self.value()}) if self.value() in declarations() else queryset


class EngineAdmin(BackofficeAdmin):
    """Base class of the admin of the engine's tables; `legend` lists the words that `legend_of_list.html` explains."""

    legend: str

    def get_changelist(self, request: HttpRequest, **_: object) -> type[AnnotatedList]:
        return AnnotatedList

    def annotate(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        """Set on each row what its columns show beside its own fields; by default nothing."""


class EngineRowsAdmin(EngineAdmin, ReadOnlyAdmin):
    """Base class of the admin of rows that the engine writes.

    The permission to sync is enough to see them; content in them needs the permission to view that content.
    """

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        if (row := super().get_object(request, object_id, from_field)) is not None:
            self.annotate(request, [row])
        return row

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        names = super().get_search_fields(request)
        return [name for name in names if name not in CONTENT_COLUMNS or may_read_all(request)]

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(super().has_view_permission(request, obj)) or request.user.has_perm(SYNC_PERMISSION)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_module_permission(request)) or request.user.has_perm(SYNC_PERMISSION)


@dataclass(frozen=True)
class Named:
    """A local object as one person may see it."""

    name: str  # `Post 5`
    title: str  # the object as a string; empty if it was deleted
    url: str  # its page; empty if it has none that this person may see
    unseen: str = ""  # why this person may not read its content, nor what was sent of it; empty if they may


def named(request: HttpRequest, bindings: Iterable[Binding]) -> dict[int, Named]:
    """Return the objects of bindings, `{binding's pk: object}`, by one query for each model."""
    by_model: dict[str, list[Binding]] = {}
    for binding in bindings:
        by_model.setdefault(binding.route.model, []).append(binding)
    result: dict[int, Named] = {}
    for label, rows in by_model.items():
        objects = named_keys(request, label, {row.object_key for row in rows})
        result |= {row.pk: objects[row.object_key] for row in rows}
    return result


def named_keys(request: HttpRequest, label: str, keys: Collection[str]) -> dict[str, Named]:
    """Return the objects of the model `label` with these keys, `{key: object}`."""
    hidden = unseen_objects(request, label, keys)
    unseen = {key: Named(f"{label}:{key}", "", "", why) for key, why in hidden.items()}
    return unseen | _seen(request, label, [key for key in keys if key not in hidden])


def _seen(request: HttpRequest, label: str, keys: list[str]) -> dict[str, Named]:
    """Return the objects with these keys, all of which this person may read."""
    declaration = declarations().get(label)
    if declaration is None:
        return {key: Named(f"{label} {key}", "", "") for key in keys}
    model = declaration.model
    by_key = dict(zip(keys, pks(model, keys), strict=True))
    live = model._default_manager.in_bulk(list(set(by_key.values())))
    name, page = str(capfirst(model._meta.verbose_name)), site._registry.get(model)
    may_see = page is not None and page.has_view_permission(request)
    objects = {}
    for key in keys:
        obj = live.get(by_key[key])
        url = _url(model, obj.pk) if obj is not None and may_see else ""
        objects[key] = Named(f"{name} {by_key[key]}", "" if obj is None else str(obj), url)
    return objects


def _url(model: type[Model], pk: Any) -> str:
    try:
        return admin_url(model, "change", pk)
    except NoReverseMatch:
        return ""


def binding_title(binding: Any) -> str:
    """Return `Post 5 at Fake API` of a binding whose admin has named its object."""
    return _("%(object)s at %(target)s") % {"object": binding.named.name, "target": binding.route.target}


def title(obj: Named) -> SafeString:
    """Return the object's title, or why it has none here."""
    return format_html('<span class="sync-soft">{}</span>', obj.unseen or obj.title or _("deleted here"))


def linked(obj: Named) -> SafeString:
    """Return the object's name, linked to its page, and its title."""
    if not obj.url:
        return format_html("{} {}", obj.name, title(obj))
    return format_html('<a class="sync-link" href="{}">{}</a> {}', obj.url, obj.name, title(obj))


def table(value: object) -> SafeString | str:
    """Return a JSON object as a table of its fields, any other value as JSON; a dash for None."""
    if isinstance(value, dict):
        return render_to_string("syncer/fields.html", {"fields": value})
    return pretty(value)


def pretty(value: object) -> SafeString | str:
    """Return a JSON value, indented, as HTML; a dash for None."""
    if value is None:
        return "-"
    return format_html('<pre class="sync-json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False))
