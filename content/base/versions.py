"""The history pages of an object: its versions with their changes, and going back to a version."""

import json
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.core.paginator import Page
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from simple_history.admin import SimpleHistoryAdmin

from backoffice.kit import moments
from backoffice.kit.pages import model_page
from backoffice.kit.permissions import Person
from backoffice.kit.urls import admin_url
from backoffice.kit.versions import go_back
from content.base.differences import as_html
from content.base.models import ContentModel
from content.base.reasons import reason_context, reason_of
from syncer import public

Difference = tuple[str, SafeString]  # the field's label, and old and new as HTML


def display_value(record: models.Model, field: "models.Field[Any, Any]", user: Any) -> str:
    """Return the value of a field of an object or history row as text that `user` may read."""
    value = getattr(record, field.attname)
    if isinstance(field, models.JSONField):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moments.text(value)
    if not isinstance(field, models.ForeignKey):
        return str(dict(field.flatchoices).get(value, value) if field.choices else value)
    parent = field.related_model._base_manager.filter(pk=value).first()
    if isinstance(parent, ContentModel) and not parent.is_visible_to(user):
        return str(value)  # the parent's name is hidden from this user
    return f"{value}: {parent}" if parent else _("%(key)s (deleted)") % {"key": value}


def changed_fields(model: type[models.Model], old: Any, new: Any) -> list["models.Field[Any, Any]"]:
    """Return the fields that differ between two objects or history rows; every field if `old` is None.

    Fields with `auto_now` are left out: they differ in every version, and the page shows the time anyway.
    """
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or getattr(field, "auto_now", False))
        and (old is None or getattr(old, field.attname) != getattr(new, field.attname))
    ]


def differences(model: type[models.Model], old: Any, new: Any, user: Any) -> list[Difference]:
    """Return the fields that differ, as `changed_fields` does, with their values as `user` may read them."""
    return [
        (
            str(capfirst(field.verbose_name)),
            as_html("" if old is None else display_value(old, field, user), display_value(new, field, user)),
        )
        for field in changed_fields(model, old, new)
    ]


class VersionsAdmin(SimpleHistoryAdmin):  # type: ignore[misc]
    """The history of an object. Going back to a version is a new change, made by the user who asked for it."""

    history_list_per_page = 25
    object_history_template = "content/history.html"
    object_history_list_template = "content/versions.html"
    revert_template = "content/revert.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        newest = self._versions(object_id).first()
        if newest is not None and not newest.instance.is_visible_to(request.user):
            raise Http404
        response: HttpResponse = super().history_view(request, object_id, extra_context)
        return response

    def set_history_delta_changes(
        self, request: HttpRequest, historical_records: "Page[Any]", **_options: object
    ) -> None:
        records = list(historical_records)
        older: list[Any] = [*records[1:], records[-1].prev_record] if records else []
        for record, before in zip(records, older, strict=True):
            record.differences = (
                [] if record.history_type == "-" else differences(self.model, before, record, request.user)
            )
            record.current = historical_records.number == 1 and record is records[0] and record.history_type != "-"

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show what going back to a version would change (GET), or go back to it (POST)."""
        versions = self._versions(object_id)
        try:
            record = versions.get(history_id=version_id)
        except (ValueError, ObjectDoesNotExist) as error:
            raise Http404 from error
        stored = self.model._base_manager.filter(pk=record.instance.pk).first()
        if not (stored or versions[0].instance).is_visible_to(request.user):
            raise Http404
        if not self.has_view_or_change_permission(request, stored):
            raise PermissionDenied
        if request.method == "POST":
            return self._revert(request, record)
        title = _("Go back: %(object)s") if stored else _("Restore: %(object)s")
        return model_page(
            self,
            request,
            self.revert_template,
            title=title % {"object": record.instance},
            record=record,
            stored=stored,
            differences=differences(self.model, stored, record, request.user),
            may_revert=self._may_revert(request, stored),
            object=record.instance,
            history_url=admin_url(self.model, "history", record.instance.pk),
            **reason_context(request),
            **(extra_context or {}),
        )

    def _revert(self, request: HttpRequest, record: Any) -> HttpResponse:
        """Save the object as it was in a history row, with its row locked, and redirect to its page."""
        obj: ContentModel = record.instance
        with transaction.atomic():
            stored = self.model._base_manager.select_for_update(of=("self",)).filter(pk=obj.pk).first()
            if not self._may_revert(request, stored):
                raise PermissionDenied(Person(request.user).refusal(self.model, "change" if stored else "add"))
            fields = frozenset(field.name for field in changed_fields(self.model, stored, obj))
            if not fields:
                messages.info(request, _("There is nothing to revert: the content is already as in that version."))
                return HttpResponseRedirect(admin_url(self.model, "history", obj.pk))
            when = moments.text(record.history_date, moments.MINUTES)
            went_back = _("Went back to the version of %(time)s") % {"time": when}
            reason = ": ".join(filter(None, (went_back, reason_of(request))))
            try:
                go_back(obj, stored, user=request.user, reason=reason)
            except ValidationError as error:
                text = _("It can't go back to that version. %(why)s")
                messages.error(request, text % {"why": " ".join(error.messages)})
                return HttpResponseRedirect(admin_url(self.model, "history", obj.pk))
            self.log_change(request, obj, reason)
        text = _("“%(object)s” is again as it was on %(when)s. The change is in its history.")
        messages.success(request, text % {"object": obj, "when": when})
        edit = public.Edit(model=self.model, pk=obj.pk, fields=None if stored is None else fields)
        for sentence in public.following([edit]):
            messages.info(request, sentence)
        return HttpResponseRedirect(admin_url(self.model, "change", obj.pk))

    def _may_revert(self, request: HttpRequest, stored: ContentModel | None) -> bool:
        """Return whether the user may go back, which is a change, or an addition if the object is deleted."""
        if stored is None:
            return bool(self.has_add_permission(request))
        return bool(self.has_change_permission(request, stored))

    def _versions(self, object_id: str) -> Any:
        """Return the history rows of an object, the newest first, which decides who sees a deleted object.

        Raises:
            Http404: the id is not a key.
        """
        key = self.model._meta.pk
        try:
            return self.model.history.filter(**{key.attname: key.to_python(unquote(object_id))}).order_by("-history_id")
        except ValidationError as error:
            raise Http404 from error
