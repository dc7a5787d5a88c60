"""Every way into the content that the project has. Each door is tried with each model that it leads to.

A domain joins by itself: its models are found by their base class, their API by its `Resource`, their admin by the
registry, their values by its samples. Where that is not enough, `tests/content/<domain>/objects.py` may have:

    fill()               makes more objects than the samples
    new(model, number)   the new object number 0, 1, … of a model that can't be copied, not saved; None: copy one
    deletable(model)     a queryset of the objects that may be deleted; None: all that nothing protects
    NEVER_CHANGED        names of models whose objects are only made and deleted
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test import RequestFactory

from backoffice.accounts.models import User
from backoffice.kit.urls import admin_url
from content.base.api import Resource
from content.base.models import ContentModel
from syncer.models.mapping import declarations
from tests.content.api_client import ApiClient
from tests.content.files import load, table
from tests.content.pages import administrator, form_of

Model = Any  # a subclass of ContentModel, of which nothing more is known here


def content_models() -> list[Model]:
    return [model for model in apps.get_models() if issubclass(model, ContentModel)]


def own(model: Model, name: str) -> Any:
    """What the domain's `objects.py` calls `name`; None: it has no such thing."""
    module = f"tests.content.{model._meta.app_label}.objects"
    package = find_spec(module.rpartition(".")[0])
    return getattr(import_module(module), name, None) if package and find_spec(module) else None


def fill(*models: Model) -> None:
    """Make the people who come in, and the content of the models' domains: samples, and what they have beside."""
    administrator()
    api_user()
    domains = {model._meta.app_label: model for model in models}
    call_command("sample_content", *domains, stdout=io.StringIO())
    for model in domains.values():
        if made := own(model, "fill"):
            made()


def text_field(model: Model) -> str:
    """A text that may travel and so can be edited."""
    fields = (model._meta.get_field(name) for name in declarations()[model._meta.label].fields)
    return next(str(field.name) for field in fields if field.get_internal_type() == "CharField" and not field.choices)


def can_change(model: Model) -> bool:
    return model.__name__ not in (own(model, "NEVER_CHANGED") or ())


def parent_field(model: Model) -> str | None:
    declared = declarations().get(model._meta.label)
    return declared.parent if declared else None


def has_inline(model: Model) -> bool:
    """It is edited on its parent's page too."""
    parent = parent_field(model) and model._meta.get_field(parent_field(model)).related_model
    return bool(parent) and any(inline.model is model for inline in admin_of(parent).inlines)


def some(model: Model, number: int = 1) -> Any:
    found = list(model.objects.order_by("pk")[:number])
    return found[0] if number == 1 else found


def deletable(model: Model) -> list[Any]:
    """Up to three objects that nothing keeps from being deleted."""
    chosen = own(model, "deletable")
    found = chosen(model) if chosen else None
    if found is None:
        found = model.objects.all()
        for link in model._meta.related_objects:
            if link.on_delete is models.PROTECT:
                found = found.filter(**{link.name: None})
    return list(found.order_by("pk")[:3])


def copy(model: Model, number: int = 0) -> Any:
    """A new object, not saved; another number gives another one."""
    new = own(model, "new")
    obj = new(model, number) if new else None
    if obj is None:
        obj = some(model)
        obj.pk, obj._state.adding = obj._meta.pk.get_default(), True  # None where the database gives the key
    return edited(obj, number)


def admin_of(model: Model) -> Any:
    return admin.site.get_model_admin(model)


def edited(obj: Any, number: int = 0) -> Any:
    """`obj` with another text, which is another one for each number, as texts may have to be unique."""
    if can_change(type(obj)):
        setattr(obj, text_field(type(obj)), f"through the door {number}")
    return obj


# --- the ORM ---------------------------------------------------------------------------------------------------------
def save_new(model: Model) -> None:
    copy(model).save()


def save_change(model: Model) -> None:
    edited(some(model)).save()


def delete(model: Model) -> None:
    deletable(model)[0].delete()


def update_or_create(model: Model) -> None:
    model.objects.update_or_create(pk=some(model).pk, defaults={text_field(model): "through the door"})


def queryset_update(model: Model) -> None:
    """Each text gets another end, as texts may have to be unique."""
    name = text_field(model)
    model.objects.filter(pk__in=[obj.pk for obj in some(model, 3)]).update(**{name: Concat(F(name), Value("!"))})


def queryset_delete(model: Model) -> None:
    model.objects.filter(pk__in=[obj.pk for obj in deletable(model)]).delete()


def bulk_create(model: Model) -> None:
    model.objects.bulk_create([copy(model, 0), copy(model, 1)])


def bulk_update(model: Model) -> None:
    found = [edited(obj, number) for number, obj in enumerate(some(model, 3))]
    model.objects.bulk_update(found, [text_field(model)])


def related_manager(model: Model) -> None:
    """Moves a child by its new parent's manager, which writes through the base manager."""
    name = str(parent_field(model))
    field = model._meta.get_field(name)
    child = some(model)
    parent = field.related_model.objects.exclude(pk=getattr(child, field.attname)).first()
    getattr(parent, field.remote_field.get_accessor_name()).add(child)


# --- the admin -------------------------------------------------------------------------------------------------------
def submit(address: str, form: str, **changes: Any) -> None:
    """Send the form of a page with these values, as its fields show them."""
    client = administrator()
    shown = client.get(address)
    fields = shown.context["adminform"].form.fields
    texts = {name: fields[name].prepare_value(value) if name in fields else value for name, value in changes.items()}
    answer = client.post(address, form_of(shown, form) | texts)
    assert answer.status_code == 302, answer.content.decode()


def admin_add(model: Model) -> None:
    values = copy(model)
    names = set(admin_of(model).get_fields(None)) - set(admin_of(model).readonly_fields)
    filled = {name: getattr(values, model._meta.get_field(name).attname) for name in names}
    submit(admin_url(model, "add"), f"{model._meta.model_name}_form", **filled)


def admin_change(model: Model) -> None:
    address = admin_url(model, "change", some(model).pk)
    submit(address, f"{model._meta.model_name}_form", **{text_field(model): "through the door"})


def admin_delete(model: Model) -> None:
    answer = administrator().post(admin_url(model, "delete", deletable(model)[0].pk), {"post": "yes"})
    assert answer.status_code == 302


def admin_delete_action(model: Model) -> None:
    chosen = [str(obj.pk) for obj in deletable(model)]
    form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert administrator().post(admin_url(model, "changelist"), form).status_code == 302


def admin_inline(model: Model) -> None:
    """Edits a child on its parent's page."""
    field = model._meta.get_field(str(parent_field(model)))
    parent = getattr(some(model), field.name)
    prefix = field.remote_field.get_accessor_name()
    address = admin_url(type(parent), "change", parent.pk)
    change = {f"{prefix}-0-{text_field(model)}": "through the door"}
    submit(address, f"{type(parent)._meta.model_name}_form", **change)


def admin_import(model: Model) -> None:
    """A file with a changed row and a new one."""
    columns = admin_of(model).resource_classes[0]().get_import_fields()
    objects = [copy(model, 0), *([edited(some(model), 1)] if can_change(model) else [])]
    names = [column.column_name for column in columns]
    rows = [[column.export(obj) for column in columns] for obj in objects]
    load(administrator(), model, table(names, *rows))


# --- the API ---------------------------------------------------------------------------------------------------------
def api_user() -> User:
    return User.objects.filter(username="api").first() or User.objects.create_superuser("api")


def resource_of(model: Model) -> Resource | None:
    module = import_module(f"{apps.get_app_config(model._meta.app_label).name}.api")
    return next((one for one in vars(module).values() if isinstance(one, Resource) and one.model is model), None)


def api(model: Model, method: str, key: Any = None, **body: Any) -> None:
    resource = resource_of(model)
    assert resource
    address = f"/api/{model._meta.app_label}{resource.list_path}" + (f"{key}/" if key else "")
    row, written = resource.row(some(model)), {column.name for column in resource.writable}
    whole = {name: value for name, value in row.items() if name in written}
    data = body if method == "PATCH" else whole | body
    answer = ApiClient(api_user()).send(method, address, data)
    assert answer.status_code < 300, answer.content


def api_post(model: Model) -> None:
    resource = resource_of(model)
    key = {resource.key_column.name: str(copy(model).pk)} if resource and resource.key == "caller" else {}
    api(model, "POST", **{text_field(model): "through the door"}, **key)


def api_put(model: Model) -> None:
    api(model, "PUT", some(model).pk, **{text_field(model): "through the door"})


def api_patch(model: Model) -> None:
    api(model, "PATCH", some(model).pk, **{text_field(model): "through the door"})


def api_delete(model: Model) -> None:
    api(model, "DELETE", deletable(model)[0].pk)


def in_admin(verb: str) -> Callable[[Model], bool]:
    """The models that an administrator may add, change or delete in the admin."""
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True)
    return lambda model: bool(getattr(admin_of(model), f"has_{verb}_permission")(request))


@dataclass(frozen=True)
class Door:
    """One way in.

    Attributes:
        changes: it is for objects that are there, and changes them.
        operation: of the model's `Resource`, which it needs.
        leads_to: to which models, beside that.
    """

    use: Callable[[Model], None]
    changes: bool = False
    operation: str = ""
    leads_to: Callable[[Model], bool] = lambda model: True

    def fits(self, model: Model) -> bool:
        if self.changes and not can_change(model):
            return False
        resource = resource_of(model) if self.operation else None
        return self.leads_to(model) and (not self.operation or bool(resource and self.operation in resource.operations))


DOORS = [
    Door(save_new),
    Door(save_change, changes=True),
    Door(delete),
    Door(update_or_create, changes=True),
    Door(queryset_update, changes=True),
    Door(queryset_delete),
    Door(bulk_create),
    Door(bulk_update, changes=True),
    Door(admin_add, leads_to=in_admin("add")),
    Door(admin_change, changes=True, leads_to=in_admin("change")),
    Door(admin_delete, leads_to=in_admin("delete")),
    Door(admin_delete_action, leads_to=in_admin("delete")),
    Door(admin_import),
    Door(api_post, operation="create"),
    Door(api_put, changes=True, operation="replace"),
    Door(api_patch, changes=True, operation="change"),
    Door(api_delete, operation="delete"),
    Door(related_manager, changes=True, leads_to=lambda model: bool(parent_field(model))),
    Door(admin_inline, changes=True, leads_to=has_inline),
]
