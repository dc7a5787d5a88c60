"""What a domain gets by the one line in `CONTENT_APPS`: admin, history, API, import, export, sync, samples."""

from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from backoffice.kit.urls import admin_url
from content.base.models import ContentModel
from syncer.engine.runs import run_here
from syncer.models import Route, Target
from syncer.models.keys import key_of
from syncer.models.mapping import declarations
from tests.content.api_client import ApiClient
from tests.content.doors import admin_of, api_user, content_models, fill, resource_of, some
from tests.content.pages import administrator

pytestmark = pytest.mark.django_db

MODELS = [pytest.param(model, id=model._meta.label) for model in content_models()]
LISTED = [
    pytest.param(model, id=model._meta.label)
    for model in content_models()
    if (resource := resource_of(model)) and "list" in resource.operations
]
TRAVELING = [pytest.param(one.model, id=label) for label, one in declarations().items()]


@pytest.fixture(scope="module", autouse=True)
def content(django_db_setup, django_db_blocker):
    """Objects of every model, in a transaction around those of all tests of this file."""
    with django_db_blocker.unblock(), transaction.atomic():
        fill(*content_models())
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("domain", settings.CONTENT_APPS)
def test_a_domain_has_models_and_its_part_of_each_door(domain):
    models = [model for model in content_models() if model.__module__.startswith(f"{domain}.")]
    assert models
    assert import_module(f"{domain}.api").router
    assert import_module(f"{domain}.samples").create
    assert {model._meta.label for model in models} & {*declarations()}


@pytest.mark.parametrize("model", MODELS)
def test_the_admin_lists_shows_and_remembers(model):
    client, obj = administrator(), some(model)
    assert client.get(admin_url(model, "changelist")).context["cl"].result_count > 0
    for name in ("change", "history"):
        assert client.get(admin_url(model, name, obj.pk)).status_code == 200, name


@pytest.mark.parametrize("model", MODELS)
def test_content_goes_in_and_out_as_files(model):
    client = administrator()
    columns = [column.column_name for column in admin_of(model).resource_classes[0]().get_import_fields()]
    shown = client.get(admin_url(model, "import"))
    assert shown.context["columns"] == columns
    assert client.get(admin_url(model, "export")).status_code == 200


@pytest.mark.parametrize("model", LISTED)
def test_the_api_lists_what_there_is(model):
    resource = resource_of(model)
    assert resource
    answer = ApiClient(api_user()).get(f"/api/{model._meta.app_label}{resource.list_path}", {"limit": 1})
    assert answer.status_code == 200
    assert list(answer.json()["items"][0]) == list(resource.column_names)


@pytest.mark.parametrize("model", LISTED)
def test_the_api_is_described(model, client):
    resource = resource_of(model)
    assert resource
    paths = client.get(reverse("api:openapi-json")).json()["paths"]
    assert f"/api/{model._meta.app_label}{resource.list_path}" in paths


@pytest.mark.parametrize("model", TRAVELING)
def test_an_object_travels_with_what_it_hangs_under(remote, model):
    target = Target.objects.create(name="fake", url=remote.url, timeout=10)
    scope: dict[str, list[str]] = {}
    for obj in with_parents(some(model)):
        label = type(obj)._meta.label
        scope.setdefault(label, []).append(key_of(type(obj), obj.pk))
        names = {f"our_{name}": name for name in declarations()[label].fields}
        Route.objects.get_or_create(target=target, model=label, defaults={"path": f"/{label}", "fields": names})
    run_here(target, scope=scope)
    sent = {label: len(remote.store.records(label)) for label in scope}
    assert sent == {label: len(keys) for label, keys in scope.items()}


def with_parents(obj: ContentModel) -> list[Any]:
    """Each object once, parents first."""
    found: dict[Any, None] = {}
    for field in type(obj)._meta.concrete_fields:
        parent = getattr(obj, field.name) if field.name in declarations()[obj._meta.label].fields else None
        if isinstance(parent, ContentModel):
            found |= dict.fromkeys(with_parents(parent))
    return [*found, obj]
