"""Every way into the content that the project has. Each door is tried with each model that it leads to.

A domain joins by itself: its models are found by their base class, their API by its `Endpoint`, their admin by the
registry, their values by its samples.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from backoffice.accounts.models import User
from content.base.endpoint import Endpoint
from content.base.models import ContentModel
from syncer.mapping import declarations
from tests.content.api_client import ApiClient
from tests.content.pages import administrator, form_of

Model = Any  # a subclass of ContentModel, of which nothing more is known here


def content_models() -> list[Model]:
    return [model for model in apps.get_models() if issubclass(model, ContentModel)]


def text_field(model: Model) -> str:
    """A text that may travel and so can be edited."""
    fields = (model._meta.get_field(name) for name in declarations()[model._meta.label].fields)
    return next(str(field.name) for field in fields if field.get_internal_type() == "CharField" and not field.choices)


def parent_field(model: Model) -> str | None:
    return declarations()[model._meta.label].parent


def some(model: Model, number: int = 1) -> Any:
    found = list(model.objects.order_by("pk")[:number])
    return found[0] if number == 1 else found


def copy(model: Model) -> Any:
    obj = some(model)
    obj.pk, obj._state.adding = obj._meta.pk.get_default(), True  # None where the database gives the key
    return edited(obj)


def admin_of(model: Model) -> Any:
    return admin.site.get_model_admin(model)


def edited(obj: Any) -> Any:
    setattr(obj, text_field(type(obj)), "through the door")
    return obj


# --- the ORM ---------------------------------------------------------------------------------------------------------


def save_new(model: Model) -> None:
    copy(model).save()


def save_change(model: Model) -> None:
    edited(some(model)).save()


def delete(model: Model) -> None:
    some(model).delete()


def update_or_create(model: Model) -> None:
    model.objects.update_or_create(pk=some(model).pk, defaults={text_field(model): "through the door"})


def queryset_update(model: Model) -> None:
    model.objects.filter(pk__in=[obj.pk for obj in some(model, 3)]).update(**{text_field(model): "through the door"})


def queryset_delete(model: Model) -> None:
    model.objects.filter(pk__in=[obj.pk for obj in some(model, 3)]).delete()


def bulk_create(model: Model) -> None:
    model.objects.bulk_create([copy(model), copy(model)])


def bulk_update(model: Model) -> None:
    model.objects.bulk_update([edited(obj) for obj in some(model, 3)], [text_field(model)])


def related_manager(model: Model) -> None:
    """Moves a child by its new parent's manager, which writes through the base manager."""
    name = str(parent_field(model))
    field = model._meta.get_field(name)
    child = some(model)
    parent = field.related_model.objects.exclude(pk=getattr(child, field.attname)).first()
    getattr(parent, field.remote_field.get_accessor_name()).add(child)


# --- the admin -------------------------------------------------------------------------------------------------------


def page(name: str, model: Model, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def submit(address: str, form: str, **changes: Any) -> None:
    client = administrator()
    answer = client.post(address, form_of(client.get(address), form) | changes)
    assert answer.status_code == 302, answer.content.decode()


def admin_add(model: Model) -> None:
    values = copy(model)
    names = set(admin_of(model).get_fields(None)) - set(admin_of(model).readonly_fields)
    filled = {name: getattr(values, model._meta.get_field(name).attname) for name in names}
    submit(page("add", model), f"{model._meta.model_name}_form", **filled)


def admin_change(model: Model) -> None:
    address = page("change", model, some(model).pk)
    submit(address, f"{model._meta.model_name}_form", **{text_field(model): "through the door"})


def admin_delete(model: Model) -> None:
    answer = administrator().post(page("delete", model, some(model).pk), {"post": "yes"})
    assert answer.status_code == 302


def admin_delete_action(model: Model) -> None:
    chosen = [str(obj.pk) for obj in some(model, 3)]
    form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert administrator().post(page("changelist", model), form).status_code == 302


def admin_inline(model: Model) -> None:
    """Edits a child on its parent's page."""
    field = model._meta.get_field(str(parent_field(model)))
    parent = getattr(some(model), field.name)
    prefix = field.remote_field.get_accessor_name()
    address = page("change", type(parent), parent.pk)
    change = {f"{prefix}-0-{text_field(model)}": "through the door"}
    submit(address, f"{type(parent)._meta.model_name}_form", **change)


def admin_import(model: Model) -> None:
    """A file with a changed row and a new one."""
    names = admin_of(model).resource_classes[0]._meta.fields
    rows = [
        {name: getattr(obj, model._meta.get_field(name).attname) for name in names}
        for obj in (edited(some(model)), copy(model))
    ]
    file = io.StringIO()
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    writer.writerows(rows)
    client = administrator()
    upload = SimpleUploadedFile("rows.csv", file.getvalue().encode())
    answer = client.post(page("import", model), {"import_file": upload, "format": 0, "resource": ""})
    assert "confirm_form" in answer.context, answer.content.decode()
    assert client.post(page("process_import", model), answer.context["confirm_form"].initial).status_code == 302


# --- the API ---------------------------------------------------------------------------------------------------------


def api(model: Model, method: str, key: Any = None, **body: Any) -> None:
    module = import_module(f"{apps.get_app_config(model._meta.app_label).name}.api")
    endpoint = next(one for one in vars(module).values() if isinstance(one, Endpoint) and one.model is model)
    address = f"/api/{model._meta.app_label}{endpoint.address}" + (f"{key}/" if key else "")
    row, written = endpoint.row(some(model)), {column.name for column in endpoint.written}
    whole = {name: value for name, value in row.items() if name in written}
    data = body if method == "PATCH" else whole | body
    answer = ApiClient(User.objects.create_superuser("api")).send(method, address, data)
    assert answer.status_code < 300, answer.content


def api_post(model: Model) -> None:
    api(model, "POST", **{text_field(model): "through the door"})


def api_put(model: Model) -> None:
    api(model, "PUT", some(model).pk, **{text_field(model): "through the door"})


def api_patch(model: Model) -> None:
    api(model, "PATCH", some(model).pk, **{text_field(model): "through the door"})


def api_delete(model: Model) -> None:
    api(model, "DELETE", some(model).pk)


@dataclass(frozen=True)
class Door:
    """One way in. `children_only`: it leads to models that have a parent."""

    use: Callable[[Model], None]
    children_only: bool = False


DOORS = [
    *map(
        Door,
        (
            save_new,
            save_change,
            delete,
            update_or_create,
            queryset_update,
            queryset_delete,
            bulk_create,
            bulk_update,
            admin_add,
            admin_change,
            admin_delete,
            admin_delete_action,
            admin_import,
            api_post,
            api_put,
            api_patch,
            api_delete,
        ),
    ),
    Door(related_manager, children_only=True),
    Door(admin_inline, children_only=True),
]
