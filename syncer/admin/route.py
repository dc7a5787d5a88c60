"""Routes: what carries one kind of content to one target."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from backoffice.kit.numbers import key_number
from syncer.admin import route_effects
from syncer.admin.forms import NOT_CARRIED, ROUTE_ROWS, RouteForm
from syncer.admin.parts import pk_or_404, posted, when
from syncer.admin.removing import RemovingAdmin
from syncer.admin.rows import Column, Section
from syncer.admin.trigger import TriggerField
from syncer.models import Route, Target
from syncer.models.backlog import stopped
from syncer.models.mapping import declarations
from syncer.reports import words
from syncer.reports.reading import carried, not_carried, plural
from syncer.reports.unanswered import unanswered
from syncer.targets.base import kind_of, kinds

PROGRESS = (_("How far it is"), {"fields": ("planned_at", "mark", "fingerprint"), "classes": ("collapse",)})


def _target(request: HttpRequest, route: Route | None) -> Target | None:
    """Return the target that is chosen in the form, or stored, or named by a link to the form; else None."""
    chosen = request.POST.get("target") or (route.target_id if route else None) or request.GET.get("target", "")
    key = key_number(str(chosen))
    return None if key is None else Target.objects.filter(pk=key).first()


def _without_repeats(sections: Iterable[Section]) -> Iterator[Section]:
    """Yield the fieldsets, each column only in the first one that names it."""
    seen: set[str] = set()
    for title, options in sections:
        fields = [line for line in options["fields"] if line not in seen]
        seen.update(name for line in fields for name in ((line,) if isinstance(line, str) else line))
        yield title, {**options, "fields": fields}


def _opened(section: Section, route: Route | None) -> Section:
    """Return a collapsed fieldset open, if one of its columns is not as in a new route."""
    title, options = section
    new = Route()
    if route and "classes" in options and any(getattr(route, name) != getattr(new, name) for name in options["fields"]):
        options = {**options, "classes": ()}
    return title, options


def _own_id_field(column: "models.Field[Any, Any]", labels: Iterable[str]) -> forms.ChoiceField:
    """Return the choice of the local field that is the record's id; `Route.clean` refuses those that can't be it."""
    groups = [
        (label, [(name, name) for name in dict.fromkeys([one.model._meta.pk.name, *one.fields])])
        for label in labels
        for one in [declarations()[label]]
    ]
    return forms.ChoiceField(
        choices=[("", _("None: the target gives each record its id")), *groups],
        widget=UnfoldAdminSelectWidget,
        help_text=column.help_text,
        label=_("Our id"),
        required=False,
    )


@admin.register(Route)
class RouteAdmin(RemovingAdmin):
    list_display = ("carries", "target", "path", "shown_trigger", "shown_fields", "enabled")
    list_select_related = ("target",)
    list_filter = (("target", RelatedDropdownFilter),)
    search_fields = ("model", "path")
    form = RouteForm
    rows = ROUTE_ROWS
    readonly_fields = ("mark", "fingerprint", "planned_at", "matched_at")
    change_form_outer_before_template = "syncer/route_head.html"
    head: Section = (None, {"fields": (("target", "model"), "trigger", "enabled")})
    change_form_before_template = "syncer/route_effects.html"

    @property
    def conditional_fields(self) -> dict[str, str]:
        conditions = [condition for kind in kinds().values() for condition in kind.pages.shown_for.items()]
        return {name: when(other, *values) for name, (other, values) in conditions}

    def get_fieldsets(self, request: HttpRequest, obj: Route | None = None) -> list[Section]:
        """Return the fieldsets of the kind of target; before a target is chosen, those of all kinds."""
        target = _target(request, obj)
        shown_kinds = kinds().values() if target is None else [kind_of(target)]
        sections = [_opened(section, obj) for kind in shown_kinds for section in kind.pages.route]
        return self.readable(request, obj, [self.head, *_without_repeats(sections), PROGRESS])

    def get_form(self, request: HttpRequest, obj: Route | None = None, *args: Any, **options: Any) -> Any:
        target = _target(request, obj)
        own: Mapping[str, tuple[str | Promise, str | Promise]] = kind_of(target).pages.labels if target else {}
        options["labels"] = {name: label for name, (label, _text) in own.items()}
        options["help_texts"] = RouteForm.Meta.help_texts | {name: text for name, (_label, text) in own.items()}
        return super().get_form(request, obj, *args, **options)

    def columns(self, request: HttpRequest, name: str) -> tuple[Column, ...]:
        """Return the columns of rows, which name the fields of those models only that this person may have sent."""
        labels = {"", *carried(request)}
        return tuple(column.of(labels) for column in super().columns(request, name))

    def has_change_permission(self, request: HttpRequest, obj: Route | None = None) -> bool:
        """Return whether they may change a route: not one whose objects they may not view."""
        may = bool(super().has_change_permission(request, obj))
        return may and not (obj and not_carried(request, obj.model))

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "model":
            choices = [("", _("Choose a model")), *((label, label) for label in carried(request))]
            return forms.ChoiceField(
                choices=choices,
                widget=UnfoldAdminSelectWidget,
                help_text=db_field.help_text,
                label=_("Model"),
                error_messages={"invalid_choice": NOT_CARRIED},
            )
        if db_field.name == "own_id":
            return _own_id_field(db_field, carried(request))
        if db_field.name == "trigger":
            return TriggerField(label=_("When it syncs"))
        return super().formfield_for_dbfield(db_field, request, **options)

    @admin.display(description=_("carries"), ordering="model")
    def carries(self, route: Route) -> str:
        return plural(route.model)

    @admin.display(description=_("trigger"), ordering="trigger")
    def shown_trigger(self, route: Route) -> str:
        return words.trigger(route.trigger)

    @admin.display(description=_("sends"))
    def shown_fields(self, route: Route) -> str:
        return ", ".join(kind_of(route.target).carried(route)) if route.model in declarations() else "-"

    def render_change_form(self, request: HttpRequest, context: dict[str, object], **options: Any) -> HttpResponse:
        if route := options.get("obj"):
            why = not_carried(request, route.model) if request.user.has_perm("syncer.change_route") else ""
            context.update(stopped=stopped(route), fixed=why, **route_effects.context(context["adminform"]))
        page: HttpResponse = super().render_change_form(request, context, **options)
        return page

    def save_model(self, request: HttpRequest, obj: Route, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_model(request, obj, form, change)
        if why := unanswered(obj, form.changed_data):
            messages.warning(request, why)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.recompare)
        return [path("<path:object_id>/recompare/", view, name="syncer_route_recompare"), *super().get_urls()]

    @posted("syncer.change_route")
    def recompare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Forget the route's mark, so that the next sync compares every object with the target."""
        route = get_object_or_404(Route.objects.select_related("target"), pk=pk_or_404(object_id))
        back = HttpResponseRedirect(reverse("admin:syncer_route_change", args=[route.pk]))
        if why := stopped(route):  # without its mark the route would trust what a backup says of the target
            messages.error(request, why)
            return back
        Route.objects.filter(pk=route.pk).update(mark="", fingerprint="")
        self.log_change(request, route, "Compare everything again.")
        text = gettext("The next sync compares every %(model)s with %(target)s, and sends what differs.")
        messages.success(request, text % {"model": route.model, "target": route.target})
        return back
