"""Conflicts: the list of objects that two nodes edited and a person has to decide, and the page of one of them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from backoffice.kit.pages import model_page
from backoffice.kit.permissions import Person
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer.admin.conflict_acts import ConflictActs
from syncer.admin.conflict_form import DecisionForm
from syncer.admin.parts import EngineRowsAdmin, ModelFilter, Named, named_keys, pk_or_404
from syncer.core.errors import NotPossibleError
from syncer.core.merge import EXISTS
from syncer.models import Replica, Route
from syncer.models.mapping import declarations
from syncer.models.target import SYNC_PERMISSION
from syncer.reports import conflicts, states
from syncer.reports.reading import unseen
from syncer.targets.base import two_way
from syncer.targets.peer.conflicts import Open, OvertakenError, conflict_decide, look
from syncer.targets.peer.rows import fill

if TYPE_CHECKING:

    class AnnotatedReplica(Replica):
        """A replica with its object and the object's title, as `ConflictAdmin.annotate` sets them."""

        named: Named
        title: str

        class Meta:
            abstract = True


def _deleted_title(replica: Replica) -> str:
    """Return the title of an object that is deleted here, made from the last edits of its fields."""
    declaration = declarations().get(replica.model)
    if declaration is None:
        return replica.object_key
    obj = declaration.model()
    fields = replica.state.fields
    fill(obj, {name: fields[name][-1].value for name in declaration.fields if fields.get(name)})
    return gettext("%(object)s, deleted here") % {"object": obj}


def readable(request: HttpRequest) -> list[str]:
    """Return the labels of the models shared with a peer that this person may read, at least in part."""
    routes = Route.objects.filter(target__kind__in=two_way()).order_by()
    return [label for label in routes.values_list("model", flat=True).distinct() if not unseen(request, label)]


class ReplicaModelFilter(ModelFilter):
    column = "model"


@admin.register(Replica)
class ConflictAdmin(ConflictActs, EngineRowsAdmin):
    """The permission to edit the content is needed to decide; the permission to sync is enough to see the list."""

    list_display = ("content", "kind", "waiting", "conflict_at", "of")
    list_display_links = ("content",)
    list_filter = (ReplicaModelFilter,)
    list_after_template = "syncer/legend_conflicts.html"
    ordering = ("conflict_at", "pk")
    search_fields = ("object_key__exact",)
    search_help_text = gettext_lazy("An object's key.")
    actions = ("take_ours", "take_theirs")
    empty_text = gettext_lazy("Nothing waits for a decision.")

    def annotate(self, request: HttpRequest, rows: "Iterable[AnnotatedReplica]") -> None:
        keys_by_model: dict[str, list[str]] = {}
        for replica in rows:
            keys_by_model.setdefault(replica.model, []).append(replica.object_key)
        objects = {label: named_keys(request, label, keys) for label, keys in keys_by_model.items()}
        for replica in rows:
            replica.named = objects[replica.model][replica.object_key]
            replica.title = replica.named.unseen or replica.named.title or _deleted_title(replica)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Replica]":
        replicas: QuerySet[Replica] = super().get_queryset(request).waiting()
        return replicas if self._may_see_engine(request) else replicas.filter(model__in=readable(request))

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Replica]", search_term: str
    ) -> tuple["QuerySet[Replica]", bool]:
        """Find a key as people write it: SQLite stores UUIDs without dashes."""
        term = search_term.strip().replace("\0", "")
        keys = Q(object_key__in=[term, term.replace("-", "")])
        return (queryset.filter(keys) if term else queryset), False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may_see_engine(request) or bool(readable(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def _may_see_engine(self, request: HttpRequest) -> bool:
        return any(map(request.user.has_perm, ("syncer.view_replica", "syncer.change_replica", SYNC_PERMISSION)))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        answer: HttpResponse = super().changelist_view(
            request, {"title": gettext("Conflicts"), **(extra_context or {})}
        )
        return answer

    @admin.display(description=gettext_lazy("object"))
    def content(self, replica: "AnnotatedReplica") -> SafeString:
        return format_html('<span class="sync-link">{}</span>', replica.title)

    @admin.display(description=gettext_lazy("kind"), ordering="model")
    def kind(self, replica: Replica) -> str:
        declaration = declarations().get(replica.model)
        return str(capfirst(declaration.model._meta.verbose_name)) if declaration else replica.model

    @admin.display(description=gettext_lazy("what"))
    def waiting(self, replica: Replica) -> str:
        return states.waiting(replica)

    @admin.display(description=gettext_lazy("its own page"))
    def of(self, replica: "AnnotatedReplica") -> SafeString | str:
        url = replica.named.url
        return format_html('<a class="sync-link" href="{}">{}</a>', url, self.kind(replica)) if url else "-"

    # --- the page of one conflict ------------------------------------------------------------------------------------
    def change_view(self, request: HttpRequest, object_id: str, *_: object, **__: object) -> HttpResponse:
        """Show the values side by side, with the form that decides."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        replicas = Replica.objects.all()
        if not self._may_see_engine(request):
            replicas = replicas.filter(model__in=readable(request))
        replica = cast("AnnotatedReplica", get_object_or_404(replicas, pk=pk_or_404(object_id)))
        if replica.model not in declarations():
            raise Http404
        self.annotate(request, [replica])
        if request.method == "POST":
            return self._decide(request, replica)
        now = look(replica)
        if not now.names:
            text = gettext("Nothing waits for a decision: %(object)s.")
            messages.info(request, text % {"object": replica.title})
            return HttpResponseRedirect(_after(replica))
        form = None if replica.named.unseen else DecisionForm(request, now, conflicts.questions(now, request.user))
        return self._page(request, replica, now, form)

    def _decide(self, request: HttpRequest, replica: "AnnotatedReplica") -> HttpResponse:
        now = look(replica)
        if replica.named.unseen or not _may_decide(request, now):
            raise PermissionDenied
        if now.token != request.POST.get("token"):
            return self._overtaken(request, replica)
        form = DecisionForm(request, now, conflicts.questions(now, request.user), request.POST)
        if not form.is_valid():
            return self._page(request, replica, now, form)
        reason, token = form.cleaned_data["reason"], form.cleaned_data["token"]
        try:
            conflict_decide(replica=replica, values=form.values, user=request.user, reason=reason, token=token)
        except OvertakenError:
            return self._overtaken(request, replica)
        except NotPossibleError as error:
            messages.error(request, localized(message_of(error)))
        except ValidationError as error:
            form.refuse(error)
            return self._page(request, replica, now, form)
        else:
            messages.success(request, gettext("Resolved. The decision travels like any edit."))
        self.annotate(request, [replica])
        return HttpResponseRedirect(_after(replica))

    def _overtaken(self, request: HttpRequest, replica: "AnnotatedReplica") -> HttpResponse:
        """Show the page again, with the current values."""
        self.annotate(request, [replica])
        now = look(replica)
        text = gettext("%(object)s has changed since you looked; nothing was decided.")
        messages.warning(request, text % {"object": replica.title})
        if not now.names:
            return HttpResponseRedirect(_after(replica))
        return self._page(request, replica, now, DecisionForm(request, now, conflicts.questions(now, request.user)))

    def _page(
        self, request: HttpRequest, replica: "AnnotatedReplica", now: Open, form: DecisionForm | None
    ) -> HttpResponse:
        seen = form is not None
        return model_page(
            self,
            request,
            "syncer/conflict.html",
            title=gettext("Conflict: %(object)s") % {"object": replica.title} if seen else gettext("Conflict"),
            replica=replica,
            form=form,
            may_decide=_may_decide(request, now),
            wrong=now.wrong("") if seen else "",
            kept=conflicts.kept(now, request.user) if seen and EXISTS in now.names else [],
        )


def _may_decide(request: HttpRequest, now: Open) -> bool:
    """Return whether this person may decide anything here; each choice needs the permission for what it does."""
    return Person(request.user).may(now.route.declaration.model, "change" if now.row else "add", "delete")


def _after(replica: "AnnotatedReplica") -> str:
    """Return the URL of the object's page, or of the list if it has none."""
    return replica.named.url or reverse("admin:syncer_replica_changelist")
