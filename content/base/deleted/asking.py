"""The question before a delete: what goes, what targets lose, and why it is done. Long deletes become jobs."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit.pages import model_page
from backoffice.kit.permissions import Person
from backoffice.kit.urls import admin_url
from content.base.deleted.admin import DeletedAdmin
from content.base.deleted.cascade import HERE, CascadeLevel, begin, cascade_of, protectors
from content.base.reasons import given_reason, reason_context
from syncer import public

LISTED = 50  # names on each level of the question
# What Django's `get_deleted_objects` returns: nested names, {model: count}, missing permissions, protected objects.
Deletion = tuple[list[Any], dict[str, int], set[str], list[Any]]
JOB = "_delete_job"  # the attribute of a request whose delete became a job


class DeletingAdmin(DeletedAdmin):
    """Deletes one object, or the chosen ones, after a question that costs the same however many go along."""

    delete_confirmation_template = "content/delete.html"
    delete_selected_confirmation_template = "content/delete.html"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Deletion:
        """Return what Django returns, with at most LISTED names on each level; many objects are only counted."""
        found = self._cascade(objs)
        if sum(one.number for one in found) <= HERE:
            names, counts, needed, protected = super().get_deleted_objects(objs, request)
            return _shortened(names), counts, needed, protected
        person = Person(request.user)
        needed = {str(one.model._meta.verbose_name) for one in found if not person.may(one.model, "delete")}
        numbers: dict[str, int] = {str(one.model._meta.verbose_name_plural): one.number for one in found}
        return self._some_names(found), numbers, needed, self._protected(found)

    def _cascade(self, objs: Any) -> list[CascadeLevel]:
        return cascade_of(self.model, self._rows(objs))

    def _rows(self, objs: Any) -> "QuerySet[Any]":
        if isinstance(objs, QuerySet):
            return objs
        return self.model._base_manager.filter(pk__in=[obj.pk for obj in objs])

    def _some_names(self, found: Iterable[CascadeLevel]) -> list[Any]:
        top, *below = found
        shown: list[Any] = [str(obj) for obj in top.rows.order_by("-pk")[:LISTED]]
        if top.number > LISTED:
            shown.append(_more(top.number - LISTED))
        return [*shown, *(public.named_numbers({one.model: one.number}) for one in below)]

    def _protected(self, found: Iterable[CascadeLevel]) -> list[str]:
        """Return a text for each kind of objects that prevents the delete."""
        return [
            str(kind._meta.verbose_name_plural)
            for one in found
            for kind, field in protectors(one.model)
            if kind._base_manager.filter(**{f"{field}__in": one.rows.order_by().values("pk")}).exists()
        ]

    # --- one object --------------------------------------------------------------------------------------------------
    # The page that asks names what prevents a deletion; this is for what was written after it asked.
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponseBase:
        try:
            with given_reason(request):
                response: HttpResponseBase = super().delete_view(request, object_id, extra_context)
            return response
        except (ProtectedError, ValidationError) as error:
            return self._refuse(request, error)

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        asked = self._question(request, self._cascade([context["object"]]))
        page: HttpResponse = super().render_delete_form(request, context | asked)
        return page

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        total = sum(one.number for one in self._cascade([obj]))
        if total > HERE:
            setattr(request, JOB, begin(self.model, [obj.pk], total, user=request.user))
        else:
            super().delete_model(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            response: HttpResponse = super().response_delete(request, obj_display, obj_id)
            return response
        if job := getattr(request, JOB, None):
            return redirect("admin:jobs_job_change", job.pk)
        text = _("The %(name)s “%(object)s” was deleted.")
        names = {"name": self.opts.verbose_name, "object": obj_display}
        messages.success(request, self.undo_message(request, text % names))
        if self.has_view_or_change_permission(request):
            return redirect(admin_url(self.model, "changelist"))
        return redirect("admin:index")

    # --- the chosen ones ---------------------------------------------------------------------------------------------
    def response_action(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponseBase | None:
        try:
            response: HttpResponseBase | None = super().response_action(request, queryset)
            return response
        except (ProtectedError, ValidationError) as error:
            return self._refuse(request, error)

    @admin.action(description=gettext_lazy("Delete selected %(verbose_name_plural)s"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: "QuerySet[Any]") -> HttpResponse | None:
        """Ask, or delete what was confirmed; what has changed since the question is asked again."""
        names, _counts, needed, protected = self.get_deleted_objects(queryset, request)
        found = self._cascade(queryset)
        total, number = sum(one.number for one in found), found[0].number
        is_confirmed = request.POST.get("post") and request.POST.get("total", str(int(total))) == str(int(total))
        if is_confirmed and not protected:
            if needed:
                raise PermissionDenied
            with given_reason(request):
                return self._delete_chosen(request, queryset, total)
        return model_page(
            self,
            request,
            self.delete_selected_confirmation_template,
            title=_("Delete %(what)s") % {"what": public.named_numbers({self.model: number})},
            media=self.media,
            chosen=True,
            deleted_objects=names,
            perms_lacking=needed,
            protected=protected,
            total=int(total),
            checkbox=ACTION_CHECKBOX_NAME,
            keys=request.POST.getlist(ACTION_CHECKBOX_NAME),
            select_across=request.POST.get("select_across", "0"),
            **self._question(request, found),
        )

    def _delete_chosen(self, request: HttpRequest, queryset: "QuerySet[Any]", total: int) -> HttpResponse | None:
        if total > HERE:
            keys = list(queryset.order_by("pk").values_list("pk", flat=True))
            return redirect("admin:jobs_job_change", begin(self.model, keys, total, user=request.user).pk)
        number = len(queryset)
        self.log_deletions(request, queryset)
        self.delete_queryset(request, queryset)
        text = _("Deleted: %(what)s.") % {"what": public.named_numbers({self.model: number})}
        messages.success(request, self.undo_message(request, text))
        return None

    # --- details -----------------------------------------------------------------------------------------------------
    def _question(self, request: HttpRequest, found: list[CascadeLevel]) -> dict[str, object]:
        """Return what the template shows beside Django's context."""
        lost = public.losses({one.model: one.rows for one in found})
        is_job = sum(one.number for one in found) > HERE
        what = public.named_numbers({one.model: one.number for one in found})
        return {"losses": lost, "is_job": is_job, "what": what, **reason_context(request)}

    def _refuse(self, request: HttpRequest, error: ProtectedError | ValidationError) -> HttpResponseBase:
        messages.error(request, error.messages[0] if isinstance(error, ValidationError) else error.args[0])
        return redirect(admin_url(self.model, "changelist"))


def _shortened(names: list[Any]) -> list[Any]:
    """Return a nested list of names with at most LISTED entries on each level."""
    short = [_shortened(name) if isinstance(name, list) else name for name in names[:LISTED]]
    return [*short, _more(len(names) - LISTED)] if len(names) > LISTED else short


def _more(number: int) -> str:
    return _("… and %(number)s more") % {"number": number}
