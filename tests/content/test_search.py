"""Search finds parts of texts, by an index where PostgreSQL has one; what is sorted by has an index."""

from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connection, models

from backoffice.kit.api.resource import Resource
from content.base import search
from content.base.models import ContentModel
from content.news.models import Post
from tests.content.pages import administrator

pytestmark = pytest.mark.django_db

MODELS = [model for model in apps.get_models() if issubclass(model, ContentModel)]
RESOURCES = [
    item
    for app in settings.CONTENT_APPS
    for item in vars(import_module(f"{app}.api")).values()
    if isinstance(item, Resource)
]


def has_extension() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
        return cursor.fetchone() is not None


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname LIKE '%\\_search'")
        return {row[0] for row in cursor.fetchall()}


def test_a_list_finds_the_middle_of_a_word_in_either_case():
    Post.objects.create(title="About gardening", body="B")
    Post.objects.create(title="Other", body="no such word")
    page = administrator().get("/admin/news/post/", {"q": "ARDENI"})
    assert [row.title for row in page.context["cl"].result_list] == ["About gardening"]


@pytest.mark.postgres
def test_every_searched_model_has_its_index_where_the_extension_can_be_had():
    search.after_migrations(using="default")
    wanted = {f"{model._meta.db_table}_search" for model in MODELS if model.searched}
    assert indexes() == (wanted if has_extension() else set())


@pytest.mark.postgres
def test_migrations_go_on_where_the_extension_may_not_be_created(monkeypatch, caplog):
    monkeypatch.setattr(search, "SCHEMA", "SELECT 1 WHERE false")
    monkeypatch.setattr(search, "CREATE", "CREATE EXTENSION no_such_extension")
    search.after_migrations(using="default")
    assert search.CURE in caplog.text
    assert Post.objects.count() == 0, "the transaction goes on"


@pytest.mark.postgres
def test_a_search_reads_the_index_where_the_server_can_have_one():
    search.after_migrations(using="default")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Post.objects.filter(title__icontains="arden").explain()
    assert ("news_post_search" in plan, bool(indexes())) == (has_extension(), has_extension())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_what_lists_search_by_parts_is_what_the_index_has(model):
    """Not what is compared as a whole, nor numbers, nor the columns of other models."""
    page = admin.site._registry.get(model)
    names = [name for resource in RESOURCES if resource.model is model for name in resource.search]
    if page is not None and model._meta.label != "messaging.Message":  # it is searched by whole ids
        names += [name for name in page.search_fields if name.isidentifier() and "__" not in name]
    texts = {name for name in names if isinstance(model._meta.get_field(name), models.CharField)}
    assert texts == set(model.searched)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_every_order_of_an_api_list_has_an_index(resource):
    key = resource.model._meta.pk.name
    indexed = {tuple(index.fields[:2]) for index in resource.model._meta.indexes}
    for name in resource.sort:
        column = name.lstrip("-")
        assert column == key or (column, key) in indexed, column


def test_an_admin_list_is_sorted_as_the_index_is():
    client = administrator()
    assert client.get("/admin/news/post/", {"o": "1"}).context["cl"].queryset.query.order_by == ("title", "pk")
    assert client.get("/admin/news/post/", {"o": "-1"}).context["cl"].queryset.query.order_by == ("-title", "-pk")
    assert client.get("/admin/news/post/").context["cl"].queryset.query.order_by[0] == "-pk"
