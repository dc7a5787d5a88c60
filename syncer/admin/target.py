"""Targets: their state, the buttons *Sync now* and *Pause*, the trigger, and the preview of a sync."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit import references
from backoffice.kit.audit.actions import Action
from backoffice.kit.audit.record import record
from backoffice.kit.pages import model_page
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer import public
from syncer.admin import deletes, pair, trial
from syncer.admin.forms import TARGET_ROWS, TargetForm
from syncer.admin.parts import Named, chip, live, named_keys, pk_or_404, posted, to_runs, when
from syncer.admin.removing import RemovingAdmin
from syncer.admin.rows import Section
from syncer.admin.setup import steps
from syncer.admin.setup.urls import urls as setup_urls
from syncer.core.errors import SyncError
from syncer.engine import breaker
from syncer.models import Target
from syncer.models.route import CHANGE
from syncer.models.target import SYNC_PERMISSION
from syncer.reports.home import home
from syncer.reports.overview import SWITCH, Overview, answered_at, overview
from syncer.reports.preview import adoptions, nothing_to_send, preview, would_wait
from syncer.reports.reading import headline
from syncer.targets.base import kind_of
from syncer.targets.peer.authentication import PERMISSION
from syncer.targets.previews import Adoption, Planned

PREVIEWED = 200  # deliveries shown; the rest is counted
COUNTED = 2000  # deliveries counted; beyond this the page says only that there are more
PEER_FIELDS = ("peer_node", "peer_user", "matching")
REST_FIELDS = ("headers", "query")


if TYPE_CHECKING:

    class AnnotatedTarget(Target):
        """A target with its overview and last message, as `TargetAdmin.annotate` sets them."""

        overview: Overview
        last_message: str

        class Meta:
            abstract = True


@admin.register(Target)
class TargetAdmin(RemovingAdmin):
    list_display = ("shown_title", "kind", "url", "health", "pending", "last_run")
    search_fields = ("name", "title", "url")
    list_before_template = "syncer/target_bar.html"
    list_after_template = "syncer/legend_of_list.html"
    legend = (
        "target, route, run, pending, healthy, needs a person, blocked, unreachable, no worker, rate limited, paused, "
        "not contacted yet"
    )
    change_form_outer_before_template = "syncer/target_head.html"
    form = TargetForm
    rows = TARGET_ROWS
    autocomplete_fields = ("peer_user",)
    readonly_fields = ("secret_found", "contact_at", "peer_writer", "acknowledged_writer")
    fieldsets = (
        (None, {"fields": (("name", "title"), ("kind", "url"), "enabled", *PEER_FIELDS)}),
        (
            gettext_lazy("Sign-in"),
            {
                "fields": (
                    *("auth", "auth_user", "auth_secret", "secret_found", "auth_header", "auth_url"),
                    *("auth_token", "auth_names", "auth_scope"),
                ),
                "description": gettext_lazy("Enter where the secret is stored, never the secret itself."),
            },
        ),
        (gettext_lazy("Requests"), {"fields": (("concurrency", "timeout"), *REST_FIELDS)}),
    )
    conditional_fields = {
        **dict.fromkeys(PEER_FIELDS, when("kind", "peer")),
        **dict.fromkeys(REST_FIELDS, when("kind", "rest")),
        "auth_user": when("auth", "basic", "jwt", "oauth2"),
        "auth_secret": when("auth", "basic", "bearer", "header", "jwt", "oauth2"),
        "auth_header": when("auth", "header"),
        "auth_url": when("auth", "jwt", "oauth2"),
        "auth_token": when("auth", "jwt", "oauth2"),
        "auth_names": when("auth", "jwt"),
        "auth_scope": when("auth", "oauth2"),
    }

    def get_fieldsets(self, request: HttpRequest, obj: Target | None = None) -> list[Section]:
        sections = [*super().get_fieldsets(request, obj), *(kind_of(obj).pages.target_facts if obj else ())]
        return self.readable(request, obj, sections)

    def get_form(self, request: HttpRequest, obj: Target | None = None, *args: Any, **options: Any) -> Any:
        form = super().get_form(request, obj, *args, **options)
        form.request = request  # the class is made for each request
        return form

    def save_model(self, request: HttpRequest, obj: Target, form: object, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_model(request, obj, form, change)
        if obj.peer_user and not obj.peer_user.has_perm(PERMISSION):
            text = _("%(user)s needs the permission %(permission)s before %(target)s can push changes.")
            messages.warning(request, text % {"user": obj.peer_user, "permission": PERMISSION, "target": obj})

    # --- what is shown ---------------------------------------------------------------------------------------------
    def annotate(self, request: HttpRequest, rows: "Iterable[AnnotatedTarget]") -> None:
        for target in rows:
            target.overview = overview(target)
            last = target.overview.last
            target.last_message = headline(request, last.message) if last else ""

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def shown_title(self, target: Target) -> str:
        return str(target)

    @admin.display(description=gettext_lazy("state"))
    def health(self, target: "AnnotatedTarget") -> SafeString:
        return chip(target.overview.health)

    @admin.display(description=gettext_lazy("pending"))
    def pending(self, target: "AnnotatedTarget") -> SafeString | str:
        state = target.overview
        return _("not known") if state.problem else format_html("{}", state.pending)

    @admin.display(description=gettext_lazy("last run"))
    def last_run(self, target: "AnnotatedTarget") -> SafeString | str:
        run = target.overview.last
        if run is None:
            return _("never")
        url = reverse("admin:syncer_run_change", args=[run.pk])
        return format_html('<a class="sync-link" href="{}">{}</a>', url, target.last_message or run.get_state_display())

    @admin.display(description=gettext_lazy("secret found?"))
    def secret_found(self, target: Target) -> SafeString:
        """Return whether the reference resolves to a secret on this machine, never the secret itself."""
        if not target.auth_secret:
            return chip("nothing", _("no secret needed") if target.auth == Target.Auth.NONE else _("none given yet"))
        try:
            references.resolve(target.auth_secret)
        except references.UnresolvedError as error:
            return format_html("{} {}", chip("missing", _("not there")), error)
        return chip("found", _("resolves"))

    def render_change_form(self, request: HttpRequest, context: dict[str, object], **options: Any) -> HttpResponse:
        target = options.get("obj")
        if target:
            links = [(text, reverse(name, args=[target.pk])) for text, name in kind_of(target).pages.links]
            context.update(
                overview=overview(target),
                answered_at=answered_at(target),
                target_key=str(target.pk),
                links=links,
                setup_url=steps.to_continue(target),
                is_guided=steps.guide_of(target) is not None,
            )
        answer: HttpResponse = super().render_change_form(request, context, **options)
        return answer

    # --- what can be done ------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        views = {
            "home/": (self.home, "home"),
            "<path:object_id>/card/": (self.card, "card"),
            "sync/": (self.sync_all, "sync_all"),
            "<path:object_id>/sync/": (self.sync, "sync"),
            "<path:object_id>/pause/": (self.pause, "pause"),
            "<path:object_id>/resume/": (self.resume, "resume"),
            "<path:object_id>/trigger/": (self.trigger, "trigger"),
            "<path:object_id>/preview/": (self.preview, "preview"),
        }
        own = [
            path(route, self.admin_site.admin_view(view), name=f"syncer_target_{name}")
            for route, (view, name) in views.items()
        ]
        return [*setup_urls(self), *own, *deletes.urls(self), *pair.urls(self), *trial.urls(self), *super().get_urls()]

    def home(self, request: HttpRequest) -> HttpResponse:
        """Return the part of the first page that changes by itself, for its script."""
        if not (self.has_view_permission(request) or request.user.has_perm(SYNC_PERMISSION)):
            raise PermissionDenied
        return live(request, "syncer/home.html", home=home())

    def card(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the card of the target, for the script of its page."""
        target = _target(object_id)
        if not self.has_view_permission(request, target):
            raise PermissionDenied
        return live(request, "syncer/target_card.html", overview=overview(target))

    @posted(SYNC_PERMISSION)
    def sync(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sync everything that is pending at the target."""
        return to_runs(request, [public.sync_target(_target(object_id), user=request.user)])

    @posted(SYNC_PERMISSION)
    def sync_all(self, request: HttpRequest) -> HttpResponse:
        """Sync every target that is not paused."""
        targets = Target.objects.filter(enabled=True)
        return to_runs(request, [public.sync_target(target, user=request.user) for target in targets])

    @posted(SYNC_PERMISSION)
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Pause the target: nothing is sent, and changes wait."""
        target = _target(object_id)
        Target.objects.filter(pk=target.pk).update(enabled=False)
        record(Action.TARGET_CHANGED, target, fields=["enabled"], enabled=False)
        self.log_change(request, target, "Paused.")
        text = _("%(target)s is paused: nothing is sent, changes are kept.")
        messages.success(request, text % {"target": target})
        return _back(request, target)

    @posted(SYNC_PERMISSION)
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Resume the target, clear the reason why it was blocked, and probe it."""
        target = _target(object_id)
        Target.objects.filter(pk=target.pk).update(enabled=True, blocked="")
        record(Action.TARGET_CHANGED, target, fields=["enabled"], enabled=True)
        breaker.bring_probe_forward(target)
        self.log_change(request, target, "Resumed.")
        text = _("%(target)s is resumed. What is due is sent now; the rest waits for Sync now.")
        messages.success(request, text % {"target": target})
        return _back(request, target)

    @posted("syncer.change_route")
    def trigger(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Set the trigger of all routes without a schedule of their own: `manual` or `change`."""
        target, chosen = _target(object_id), request.POST.get("trigger", "")
        if chosen not in SWITCH:
            return HttpResponseBadRequest("trigger: manual or change")
        target.routes.filter(trigger__in=SWITCH).update(trigger=chosen)
        record(Action.ROUTE_CHANGED, target, fields=["trigger"], trigger=chosen)
        self.log_change(request, target, f"When it syncs: {chosen}.")
        if chosen == CHANGE:
            public.follow(target)
            text = _("%(target)s now follows each change at once.")
            if not target.enabled:
                text = _("%(target)s follows each change at once when it is resumed; it is paused now.")
        else:
            text = _("Changes for %(target)s now wait for Sync now.")
        messages.success(request, text % {"target": target})
        return _back(request, target)

    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what a sync would send now; this sends nothing and moves no mark."""
        target = _target(object_id)
        if not (self.has_view_permission(request, target) or request.user.has_perm(SYNC_PERMISSION)):
            raise PermissionDenied
        planned: list[Planned] = []
        adopted: Sequence[Adoption] = ()
        problem = waits = ""
        try:
            adopted = adoptions(target)
            planned = list(islice(preview(target, adopted), COUNTED + 1))
            waits = would_wait(target)
        except SyncError as error:
            problem = localized(message_of(error))
        return model_page(
            self,
            request,
            "syncer/preview.html",
            title=_("Preview: %(target)s") % {"target": target},
            original=target,
            target=target,
            nothing=nothing_to_send(target),
            planned=_named(request, planned[:PREVIEWED]),
            total=min(len(planned), COUNTED),
            is_more=len(planned) > COUNTED,
            hidden=max(0, min(len(planned), COUNTED) - PREVIEWED),
            problem=problem,
            waits=waits,
            adopted=adopted,
        )


def _named(request: HttpRequest, planned: list[Planned]) -> list[tuple[Planned, Named]]:
    """Return each delivery with its object as this person may see it."""
    keys_by_model: dict[str, set[str]] = {}
    for delivery in planned:
        label, _, key = delivery.name.partition(":")
        keys_by_model.setdefault(label, set()).add(key)
    names = {
        f"{label}:{key}": name
        for label, keys in keys_by_model.items()
        for key, name in named_keys(request, label, keys).items()
    }
    return [(delivery, names[delivery.name]) for delivery in planned]


def _target(object_id: str) -> Target:
    return get_object_or_404(Target, pk=pk_or_404(object_id))


def _back(request: HttpRequest, target: Target) -> HttpResponse:
    """Redirect to the page of the button that was pressed, `next`, or to that of the target."""
    after = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(after, allowed_hosts={request.get_host()}):
        after = reverse("admin:syncer_target_change", args=[target.pk])
    return HttpResponseRedirect(after)
