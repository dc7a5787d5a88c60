"""Routes: what carries one kind of content to one target."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from syncer.admin.forms import RouteForm
from syncer.admin.parts import EngineAdmin, pk_or_404, posted
from syncer.models import Route, Target
from syncer.models.backlog import stopped
from syncer.models.mapping import NOT_STORABLE, declarations, is_storable
from syncer.targets.base import kind_of, kinds

Section = tuple[str | None, dict[str, Any]]  # one of Django's fieldsets


class StorableJSON(json.JSONDecoder):
    """A decoder that refuses JSON that can't be stored or shown, as JSON that is not valid."""

    def decode(self, text: str, *args: Any) -> object:
        try:
            value = super().decode(text, *args)
        except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
            raise json.JSONDecodeError(str(error), text, 0) from error
        if not is_storable(value):
            raise json.JSONDecodeError(NOT_STORABLE, text, 0)
        return value


class IndentedJSON(forms.JSONField):
    """JSON over several lines; an empty field stands for `nothing`, the column's empty value, not for `null`."""

    def __init__(self, *, nothing: object, **options: Any) -> None:
        super().__init__(**{**options, "decoder": StorableJSON})
        self.nothing = nothing

    def clean(self, value: object) -> object:
        cleaned = super().clean(value)
        return self.nothing if cleaned is None else cleaned

    def prepare_value(self, value: object) -> Any:
        if isinstance(value, forms.fields.InvalidJSONInput):
            return value
        if value == self.nothing:
            return ""
        indent = 2 if isinstance(value, dict) else None
        return json.dumps(value, indent=indent, ensure_ascii=False, cls=self.encoder)


PROGRESS = ("How far it is", {"fields": ("planned_at", "mark", "fingerprint"), "classes": ("collapse",)})


def _target(request: HttpRequest, route: Route | None) -> Target | None:
    """Return the target that is chosen in the form, or stored, or named by a link to the form; else None."""
    chosen = request.POST.get("target") or (route.target_id if route else None) or request.GET.get("target", "")
    text = str(chosen)
    return Target.objects.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None


def _without_repeats(sections: Iterable[Section]) -> Iterator[Section]:
    """Yield the fieldsets, each column only in the first one that names it."""
    seen: set[str] = set()
    for title, options in sections:
        fields = [line for line in options["fields"] if line not in seen]
        seen.update(name for line in fields for name in ((line,) if isinstance(line, str) else line))
        yield title, {**options, "fields": fields}


@admin.register(Route)
class RouteAdmin(EngineAdmin):
    list_display = ("carries", "target", "path", "trigger", "shown_fields", "enabled")
    list_select_related = ("target",)
    list_filter = (("target", RelatedDropdownFilter),)
    search_fields = ("model", "path")
    form = RouteForm
    readonly_fields = ("may_travel", "mark", "fingerprint", "planned_at", "matched_at")
    change_form_outer_before_template = "syncer/route_head.html"
    head = (None, {"fields": (("target", "model"), "may_travel", ("trigger", "enabled"))})

    def get_fieldsets(self, request: HttpRequest, obj: Route | None = None) -> tuple[Section, ...]:
        """Return the fieldsets of the kind of target; before a target is chosen, those of all kinds."""
        target = _target(request, obj)
        shown_kinds = kinds().values() if target is None else [kind_of(target)]
        return (self.head, *_without_repeats(section for kind in shown_kinds for section in kind.pages.route), PROGRESS)

    def get_form(self, request: HttpRequest, obj: Route | None = None, *args: object, **options: object) -> Any:
        form = super().get_form(request, obj, *args, **options)
        if target := _target(request, obj):
            for name, (label, help_text) in kind_of(target).pages.labels.items():
                if name in form.base_fields:
                    form.base_fields[name].label, form.base_fields[name].help_text = label, help_text
        return form

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **options: Any) -> Any:
        if isinstance(db_field, models.JSONField):
            rows = {"fields": 8, "authority": 6}.get(db_field.name, 3)
            options["widget"] = UnfoldAdminTextareaWidget(
                attrs={"rows": rows, "class": "sync-code", "spellcheck": "false"}
            )
            nothing = {} if db_field.name == "fields" else db_field.get_default()
            return db_field.formfield(form_class=IndentedJSON, nothing=nothing, **options)
        if db_field.name == "model":
            choices = [("", "Choose a model"), *((label, label) for label in sorted(declarations()))]
            return forms.ChoiceField(
                choices=choices, widget=UnfoldAdminSelectWidget, help_text=db_field.help_text, label="Model"
            )
        return super().formfield_for_dbfield(db_field, request, **options)

    @admin.display(description="carries", ordering="model")
    def carries(self, route: Route) -> str:
        return route.model

    @admin.display(description="sends")
    def shown_fields(self, route: Route) -> str:
        return ", ".join(kind_of(route.target).carried(route)) if route.model in declarations() else "-"

    @admin.display(description="may travel")
    def may_travel(self, route: Route) -> str:
        """Return the local fields that the route may send; before a model is chosen, those of all models."""
        all_models = declarations().values()
        own_model = [declaration for declaration in all_models if declaration.label == route.model]
        return "; ".join(f"{model.label}: {', '.join(model.fields)}" for model in own_model or all_models)

    def render_change_form(self, request: HttpRequest, context: dict[str, object], **options: Any) -> HttpResponse:
        if route := options.get("obj"):
            context.update(stopped=stopped(route))
        page: HttpResponse = super().render_change_form(request, context, **options)
        return page

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
        messages.success(
            request, f"The next sync compares every {route.model} with {route.target}, and sends what differs."
        )
        return back
