"""Bindings: each object at each target, its state, and what the target is known to hold."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter

from backoffice.kit.phrase_field import localized
from syncer.admin.deciding import DecideActs
from syncer.admin.doubt import resolve
from syncer.admin.holding import HoldActs
from syncer.admin.parts import (
    EngineRowsAdmin,
    ModelFilter,
    Named,
    binding_title,
    chip,
    linked,
    named,
    pk_or_404,
    posted,
    table,
    title,
)
from syncer.core.outcome import unquoted
from syncer.core.state import QUESTIONS, Question, State
from syncer.models import Binding
from syncer.models.binding import ASKED, BLOCKED, FACTS, where
from syncer.models.target import SYNC_PERMISSION
from syncer.reports import states
from syncer.reports.doubt import doubt_of
from syncer.reports.questions import groups
from syncer.reports.seen import known_of
from syncer.reports.situation import Situation, situation_of
from syncer.reports.states import having
from syncer.reports.words import label
from syncer.targets.base import Fieldsets, kind_of
from syncer.targets.rest import REST

ATTEMPTS = 20  # shown with the object; all are in the list of attempts


if TYPE_CHECKING:

    class AnnotatedBinding(Binding):
        """A binding with its object and the object's state, as `BindingAdmin.annotate` sets them."""

        named: Named
        object_state: states.ObjectState

        class Meta:
            abstract = True


class StateFilter(DropdownFilter):  # type: ignore[misc]
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(state.value, label(state)) for state in State]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Binding]") -> "QuerySet[Binding]":
        chosen = self.value()
        return queryset.filter(having(State(chosen))) if chosen in list(State) else queryset


class QuestionFilter(DropdownFilter):  # type: ignore[misc]
    """The objects about which a person is asked a question, by the question."""

    title = gettext_lazy("question")
    parameter_name = "question"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("any", _("Any question")), *((one.name.lower(), label(one)) for one in Question)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Binding]") -> "QuerySet[Binding]":
        asked = {one.name.lower(): where(QUESTIONS, one, FACTS) for one in Question} | {"any": ASKED}
        chosen = asked.get(self.value() or "")
        of_rest = {"route__target__kind": REST}  # nothing else is ever in doubt
        return queryset if chosen is None else queryset.filter(BLOCKED, chosen, **of_rest)


class BindingModelFilter(ModelFilter):
    column = "route__model"


@admin.register(Binding)
class BindingAdmin(DecideActs, HoldActs, EngineRowsAdmin):
    list_display = ("binding", "content", "target", "state", "why", "tries", "not_before", "record")
    list_display_links = ("binding",)
    list_select_related = ("route__target",)
    list_filter = (("route__target", RelatedDropdownFilter), BindingModelFilter, StateFilter, QuestionFilter)
    empty_text = gettext_lazy("No object was planned for a target yet: that happens with its first sync.")
    list_before_template = "syncer/questions.html"
    list_after_template = "syncer/legend_of_list.html"
    legend = "binding, in sync, pending, sending, retrying, rejected, in doubt, on hold, conflict, not synced, attempt"
    search_fields = ("object_key__exact", "remote_id__exact")
    search_help_text = gettext_lazy("An object's key here, or its record's id at the target.")
    actions = ("try_again", "not_there", "only_match", "hold", "release")
    readonly_fields = (
        "record", "agreed_now", "create_key", "create_to", "create_body_now",
        "attempts_made", "seen_there",
    )  # fmt: skip
    change_form_outer_before_template = "syncer/binding_head.html"
    head = (None, {"fields": (("tries", "not_before"), ("record", "settled_at"))})
    tail = (
        (
            gettext_lazy("For experts"),
            {
                "fields": (("wanted", "delivered", "unconfirmed", "token"), "lease_until", "parent", "last_remote_id"),
                "classes": ("collapse",),
            },
        ),
        (gettext_lazy("Attempts"), {"fields": ("attempts_made",), "classes": ("collapse",)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Binding | None = None) -> Fieldsets:
        return (self.head, *(kind_of(obj.route.target).pages.binding if obj else ()), *self.tail)

    def annotate(self, request: HttpRequest, rows: "Iterable[AnnotatedBinding]") -> None:
        bindings = list(rows)
        objects, binding_states = named(request, bindings), states.of_bindings(bindings)
        for binding in bindings:
            binding.named, binding.object_state = objects[binding.pk], binding_states[binding.pk]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Binding]":
        bindings: QuerySet[Binding] = super().get_queryset(request)
        return bindings.select_related("route__target")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        context = {"title": _("Objects at targets"), "questions": groups(), **(extra_context or {})}
        page: HttpResponse = super().changelist_view(request, context)
        return page

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Binding]", search_term: str
    ) -> tuple["QuerySet[Binding]", bool]:
        """Find a key or an id as people write it: ids are stored as JSON, and by SQLite UUIDs without dashes."""
        term = search_term.strip().replace("\0", "")
        if not term:
            return queryset, False
        key = Q(object_key__in=[term, term.replace("-", "")])
        return queryset.filter(key | Q(remote_id__in=[term, json.dumps(term)])), False

    @admin.display(description=gettext_lazy("binding"))
    def binding(self, binding: "AnnotatedBinding") -> SafeString:
        return format_html('<span class="sync-link">{}</span>', binding.named.name)

    @admin.display(description=gettext_lazy("object"))
    def content(self, binding: "AnnotatedBinding") -> SafeString:
        obj = binding.named
        return format_html('<a class="sync-link" href="{}">{}</a>', obj.url, obj.title) if obj.url else title(obj)

    @admin.display(description=gettext_lazy("target"), ordering="route__target")
    def target(self, binding: Binding) -> str:
        return str(binding.route.target)

    @admin.display(description=gettext_lazy("state"))
    def state(self, binding: "AnnotatedBinding") -> SafeString:
        state, url = chip(binding.object_state.state), binding.object_state.url
        return format_html('{} <a class="sync-link" href="{}">{}</a>', state, url, _("Decide")) if url else state

    @admin.display(description=gettext_lazy("record there"), ordering="remote_id")
    def record(self, binding: Binding) -> str:
        return binding.record or "-"

    @admin.display(description=gettext_lazy("why"))
    def why(self, binding: "AnnotatedBinding") -> str:
        why = binding.object_state.why
        return localized(unquoted(why) if binding.named.unseen else why) or "-"

    @admin.display(description=gettext_lazy("what it holds, as sent and accepted"))
    def agreed_now(self, binding: "AnnotatedBinding") -> SafeString | str:
        return binding.named.unseen or table(binding.agreed)

    @admin.display(description=gettext_lazy("edits received"))
    def seen_there(self, binding: "AnnotatedBinding") -> SafeString:
        nodes, is_known = known_of(binding)
        return render_to_string("syncer/seen_there.html", {"nodes": nodes, "is_known": is_known, "binding": binding})

    @admin.display(description=gettext_lazy("what that create sent"))
    def create_body_now(self, binding: "AnnotatedBinding") -> SafeString | str:
        return binding.named.unseen or table(binding.create_body)

    @admin.display(description=gettext_lazy("where that create was sent"))
    def create_to(self, binding: "AnnotatedBinding") -> str:
        return binding.named.unseen or binding.create_path or "-"

    def render_change_form(self, request: HttpRequest, context: dict[str, object], **options: Any) -> HttpResponse:
        if binding := options.get("obj"):
            context["title"] = context["heading"] = binding_title(binding)
            context["subtitle"] = ""
            context["doubt"] = doubt_of(binding)
            context["sent_body"] = self.create_body_now(binding)
            context["why"] = self.why(binding)
            situation = context["situation"] = situation_of(binding, binding.object_state)
            context["blockers"] = self._blockers(request, situation)
            may_go = binding.object_state.state in (State.REJECTED, State.RETRYING, State.PENDING)
            context["may_try"] = may_go and not situation.blockers
            context["object_link"] = linked(binding.named)
        page: HttpResponse = super().render_change_form(request, context, **options)
        return page

    def _blockers(self, request: HttpRequest, situation: Situation) -> list[tuple[Binding, Named]]:
        objects = named(request, situation.blockers)
        return [(one, objects[one.pk]) for one in situation.blockers]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.resolve)
        return [path("<path:object_id>/resolve/", view, name="syncer_binding_resolve"), *super().get_urls()]

    @posted(SYNC_PERMISSION)
    def resolve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say which record is the object's: show what will follow and ask for confirmation, then record it."""
        binding = self.get_object(request, str(pk_or_404(object_id)))
        if binding is None:
            raise Http404
        return resolve(self, request, binding)

    @admin.display(description=gettext_lazy("newest first"))
    def attempts_made(self, binding: "AnnotatedBinding") -> SafeString:
        attempts = list(binding.attempts.all()[: ATTEMPTS + 1])
        context = {
            "attempts": attempts[:ATTEMPTS],
            "more": len(attempts) > ATTEMPTS,
            "all_url": f"{reverse('admin:syncer_attempt_changelist')}?binding__id__exact={binding.pk}",
            "unseen": binding.named.unseen,
        }
        return render_to_string("syncer/attempts.html", context)
