"""Law 5: a write without its history row is impossible through the project's own doors."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from content.news.models import Post
from syncer.models import Route, Target
from tests.conftest import empty_tables, kept_rows
from tests.content.doors import DOORS, content_models, fill

pytestmark = pytest.mark.law


def times_of(model):
    """The columns that tell when an object was changed."""
    return [field.attname for field in model._meta.concrete_fields if getattr(field, "auto_now", False)]


MOVES_TIME = ("save_change", "update_or_create", "admin_change", "admin_import", "admin_inline", "api_put", "api_patch")
FITTING = [(door.use, model) for door in DOORS for model in content_models() if door.fits(model)]
MOVING = [(use, model) for use, model in FITTING if use.__name__ in MOVES_TIME and times_of(model)]


def through(pairs):
    named = [pytest.param(use, model, id=f"{use.__name__}-{model._meta.label}") for use, model in pairs]
    return pytest.mark.parametrize(("use", "model"), named)


@pytest.fixture(scope="module")
def content(django_db_setup, django_db_blocker):
    """Objects of every model, which are there for all tests; no test may leave them changed."""
    with django_db_blocker.unblock(), kept_rows():
        fill(*content_models())
        yield


def domain_of(model):
    return [one for one in content_models() if one._meta.app_label == model._meta.app_label]


def live(models):
    """All that is there, as the columns have it: `{label: {pk: {column: value}}}`."""
    return {model._meta.label: {row[model._meta.pk.attname]: row for row in model.objects.values()} for model in models}


def recorded(models):
    """What the newest history rows say is there, in the form of `live()`."""
    found = {}
    for model in models:
        key, columns = model._meta.pk.attname, [field.attname for field in model._meta.concrete_fields]
        newest = {row[key]: row for row in model.history.order_by("history_id").values("history_type", *columns)}
        found[model._meta.label] = {pk: row for pk, row in newest.items() if row.pop("history_type") != "-"}
    return found


@pytest.mark.django_db
@through(FITTING)
def test_what_comes_through_a_door_is_in_the_history(content, use, model):
    domain = domain_of(model)
    before = live(domain)
    use(model)
    after = live(domain)
    assert after != before
    assert recorded(domain) == after


@pytest.mark.django_db
@through(MOVING)
def test_a_change_through_a_door_moves_the_time_of_change(content, use, model):
    before, [name] = live([model])[model._meta.label], times_of(model)
    use(model)
    after = live([model])[model._meta.label]
    changed = [pk for pk in before if after[pk] != before[pk]]
    assert changed
    assert all(after[pk][name] > before[pk][name] for pk in changed)


REFUSE = {
    "postgresql": (
        'ALTER TABLE {0} ADD CONSTRAINT "full" CHECK (false) NOT VALID',
        'ALTER TABLE {0} DROP CONSTRAINT "full"',
    ),
    "sqlite": ("CREATE TRIGGER full BEFORE INSERT ON {0} BEGIN SELECT RAISE(ABORT, 'full'); END", "DROP TRIGGER full"),
}


@pytest.mark.django_db(transaction=True)
@through(FITTING)
def test_nothing_comes_through_a_door_without_its_history_row(content, use, model):
    """The history's table takes no row: then the write, which no transaction is around, must fail as a whole."""
    domain = domain_of(model)
    before, table = live(domain), connection.ops.quote_name(model.history.model._meta.db_table)
    refuse, take = (statement.format(table) for statement in REFUSE[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(refuse)
    try:
        with pytest.raises(Exception, match=r".") as failure:
            use(model)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(take)
        after = live(domain)
        if after != before:  # the tests after this one would fail of it
            empty_tables()
            fill(*content_models())
    assert after == before
    assert failure.type.__name__ in ("IntegrityError", "AssertionError")


@pytest.mark.django_db
def test_the_sample_command_records_what_it_writes():
    call_command("sample_content", stdout=StringIO())
    assert recorded(content_models()) == live(content_models())


@pytest.mark.django_db(transaction=True)
def test_a_first_load_records_what_it_writes(remote):
    empty_tables()
    remote.store.create("posts", {"userId": 1, "title": "T", "body": "B"})
    target = Target.objects.create(name="fakeapi", url=remote.url)
    fields = {"userId": "user_id", "title": "title", "body": "body"}
    Route.objects.create(target=target, model="news.Post", path="/posts", fields=fields)
    call_command("sync_import", "fakeapi", stdout=StringIO())
    assert recorded(content_models()) == live(content_models())
    assert Post.objects.count() == 1
