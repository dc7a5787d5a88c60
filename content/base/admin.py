"""The base classes of every domain's admin, which make a domain's own file a few declarative lines."""

from typing import Any, ClassVar

from django import forms
from django.db import connection, models
from django.forms.models import _get_foreign_key
from django.http import HttpRequest
from django.utils.text import capfirst
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextareaWidget

from backoffice.kit.admin import BackofficeAdmin
from backoffice.kit.permissions import Person
from backoffice.kit.urls import admin_url
from backoffice.kit.views.admin import SavedViewsAdmin
from content.base.bulk_admin import BulkAdmin
from content.base.changes.columns import ChangedAdmin
from content.base.deleted.asking import DeletingAdmin
from content.base.forms import ContentForm, EmailField, PagedFormSet, TextField
from content.base.hold_admin import HoldAdmin
from content.base.imports import admin as imports_admin  # noqa: F401 - registers the pages of imports
from content.base.models import ContentModel
from content.base.reasons import ReasonAdmin
from content.base.transfer import TransferAdmin
from content.base.versions import VersionsAdmin

LONG = 256  # characters; longer texts get a textarea


class ContentFields:
    """The fields of content in forms and inlines: widgets, visible choices and permissions of single fields."""

    model: type[ContentModel]
    form = ContentForm
    text_rows = 8
    formfield_overrides: ClassVar[dict[Any, Any]] = {
        models.CharField: {"form_class": TextField},
        models.EmailField: {"form_class": EmailField},
    }

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **options: Any) -> Any:
        if isinstance(db_field, models.CharField) and (db_field.max_length or 0) > LONG and not db_field.choices:
            options.setdefault("widget", UnfoldAdminTextareaWidget(attrs={"rows": self.text_rows}))
        field: forms.Field | None = super().formfield_for_dbfield(db_field, request, **options)  # type: ignore[misc]
        if field is not None:
            field.show_hidden_initial = True  # ContentForm needs it
        return field

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = super().get_queryset(request).visible_to(request.user)  # type: ignore[misc]
        return rows

    def formfield_for_foreignkey(
        self, db_field: "models.ForeignKey[Any, Any]", request: HttpRequest, **options: Any
    ) -> Any:
        parent = db_field.related_model
        if issubclass(parent, ContentModel):
            options.setdefault("queryset", parent.objects.visible_to(request.user))
            unseen = Person(request.user).unseen(parent, "%(value)s")
            options.setdefault("error_messages", {"invalid_choice": unseen})
        return super().formfield_for_foreignkey(db_field, request, **options)  # type: ignore[misc]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        permissions = self.model.field_permissions
        forbidden = [name for name, permission in permissions.items() if not request.user.has_perm(permission)]
        return [*super().get_readonly_fields(request, obj), *forbidden]  # type: ignore[misc]


class ContentAdmin(
    ContentFields,
    ReasonAdmin,
    HoldAdmin,
    ChangedAdmin,
    BulkAdmin,
    TransferAdmin,
    DeletingAdmin,
    VersionsAdmin,
    SavedViewsAdmin,
    BackofficeAdmin,
):
    """The admin of a content model: lists, a form that saves the changed fields only, history, import and export."""

    list_before_template = "content/list_links.html"
    actions = (*HoldAdmin.actions, "change_chosen", "delete_selected")

    class Media:
        css: ClassVar[Any] = {"all": ["content/content.css"]}
        js = ("content/keys.js", "content/states.js")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the object, as Django does; on POST lock its row first.

        The form compares what it was sent with the stored values, so these must not change until it is saved.
        """
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and request.method == "POST" and connection.in_atomic_block:
            self.model.objects.select_for_update(of=("self",)).filter(pk=obj.pk).first()
            obj = super().get_object(request, object_id, from_field)
        return obj

    def get_form(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        form = super().get_form(request, *args, **options)
        form.user = request.user
        return form

    def save_model(self, request: HttpRequest, obj: ContentModel, form: ContentForm, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if change:
            obj.save_fields(form.changed_data)
        else:
            obj.save()


class ContentInline(ContentFields, TabularInline):  # type: ignore[misc]
    """The children of an object: one page of them, newest first, and a link to the list of all."""

    formset = PagedFormSet
    extra = 0
    max_num = 100  # rows that one form may send; each costs 6 KB of the page that shows it again
    per_page = 20
    text_rows = 2
    hide_title = True
    template_after = "content/inline_link.html"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).order_by("-pk")

    def formfield_for_dbfield(self, db_field: "models.Field[Any, Any]", request: HttpRequest, **options: Any) -> Any:
        """Return the field with a name of its own: in a table only the heading of the column shows one."""
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None:
            widget = getattr(field.widget, "widget", field.widget)  # of a foreign key, inside the buttons around it
            widget.attrs["aria-label"] = capfirst(field.label or db_field.verbose_name)
        return field

    def get_formset(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        formset = super().get_formset(request, *args, absolute_max=self.max_num, **options)
        formset.form.user = request.user
        return formset

    def list_url(self) -> str:
        """Return the address of the list of all children, for the template to append the parent's key."""
        key = _get_foreign_key(self.parent_model, self.model, fk_name=self.fk_name).name
        page = admin_url(self.model, "changelist")
        return f"{page}?{key}__{self.parent_model._meta.pk.name}__exact="
