"""Rows that were changed without history are found, told, and recorded, so that they travel."""

import logging
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ

from content.news.models import Comment, Post
from content.tasks.models import Item
from syncer import silent, unrecorded
from syncer.mapping import declarations
from syncer.models import HistoryCheck
from syncer.silent import Look, claim, go_on, sweep
from syncer.tasks import look_for_silent_writes
from syncer.unrecorded import REASON, look_again, pages, record
from tests.content.doors import DOORS, can_change, deletable, fill, some, text_field
from tests.flows.worker import Worker
from tests.syncer.conftest import sync
from tests.syncer.test_commands import run
from tests.syncer.test_mark import SlowWriter

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = [declaration.model for declaration in declarations().values()]
IDS = list(declarations())


def raw(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def look(model):
    """What a look finds, `[(key, what was done)]`."""
    return [(one.pk, str(one.kind)) for page in pages(model) for one in look_again(model, page.suspects)]


def record_all(model):
    return [one for page in pages(model) for one in record(model, page.suspects)]


def change(model):
    """Change one row with raw SQL, messages too; its key."""
    obj = some(model)
    table, pk, name = model._meta.db_table, model._meta.pk, text_field(model)
    if can_change(model):
        raw(f"UPDATE {table} SET {name} = 'silent' WHERE id = %s", pk.get_db_prep_value(obj.pk, connection))
    else:  # a trigger holds the row, so it is the history that lacks the change
        newest = model.history.filter(id=obj.pk).latest("history_id").history_id
        raw(f"UPDATE {model.history.model._meta.db_table} SET {name} = 'was' WHERE history_id = %s", newest)
    return obj.pk


def make(model):
    """Make a row with raw SQL; its key."""
    obj = some(model)
    key = obj.pk
    history = model.history.filter(id=key)
    raw(
        f"DELETE FROM {model.history.model._meta.db_table} WHERE history_id IN "
        f"({', '.join(str(pk) for pk in history.values_list('history_id', flat=True))})"
    )
    return key


def drop(model):
    """Delete a row with raw SQL; its key."""
    obj = deletable(model)[0]
    for link in model._meta.related_objects:  # the database lets no row point to nothing
        models.QuerySet(link.related_model).filter(**{link.field.name: obj})._raw_delete(connection.alias)
    raw(f"DELETE FROM {model._meta.db_table} WHERE id = %s", model._meta.pk.get_db_prep_value(obj.pk, connection))
    return obj.pk


def come_back(model):
    """Delete a row, and put it back with raw SQL; its key."""
    obj = deletable(model)[0]
    key = obj.pk
    obj.delete()
    obj.pk = key
    models.QuerySet(model).bulk_create([obj])
    return key


WAYS = [(change, "changed"), (make, "made"), (drop, "deleted"), (come_back, "made")]


# --- found, and recorded ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", MODELS, ids=IDS)
@pytest.mark.parametrize(("way", "kind"), WAYS, ids=[way.__name__ for way, _ in WAYS])
def test_a_silent_write_is_found_and_recorded(model, way, kind):
    fill(model)
    assert look(model) == []
    key = way(model)
    assert look(model) == [(key, kind)]
    rows = model.history.count()
    assert [(one.pk, str(one.kind)) for one in record_all(model)] == [(key, kind)]
    newest = model.history.filter(id=key).latest("history_id")
    assert (newest.history_type, newest.history_change_reason) == (unrecorded.TYPES[kind], REASON)
    assert (look(model), model.history.count()) == ([], rows + 1)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_each_column_is_looked_at(model):
    """Some rows may not be changed, so it is the history that is: the two differ as much."""
    fill(model)
    pk = some(model).pk
    newest = model.history.filter(id=pk).latest("history_id")
    row = model.history.filter(history_id=newest.history_id)
    for field in model._meta.concrete_fields:
        if not field.primary_key:
            row.update(**{field.attname: another(field, newest)})
            assert look(model) == [(pk, "changed")], field.name
            row.update(**{field.attname: getattr(newest, field.attname)})
    assert look(model) == []


def another(field, row):
    value = getattr(row, field.attname)
    match field.get_internal_type():
        case "DateTimeField":
            return (value or timezone.now()) + timedelta(microseconds=1)
        case "JSONField":
            return ["#012345"] if isinstance(value, list) else {"other": 1}
        case "CharField" | "TextField" | "EmailField":
            return value[:-1] if value else "x"
        case "UUIDField":
            return value.__class__(int=value.int ^ 1)
        case "ForeignKey":
            return value.__class__(int=value.int ^ 1) if hasattr(value, "int") else value + 1
    return value + 1


@pytest.mark.parametrize("door", [door for door in DOORS if door.fits(Post)], ids=lambda door: door.use.__name__)
def test_what_comes_through_a_door_is_no_finding(door):
    fill(Post)
    door.use(Post)
    assert look(Post) == look(Comment) == []


def test_a_null_differs_from_a_value_both_ways():
    item = Item.objects.create(title="A")
    moment = timezone.now()
    models.QuerySet(Item).filter(pk=item.pk).update(external_fetched_at=moment)
    assert look(Item) == [(item.pk, "changed")]
    record_all(Item)
    models.QuerySet(Item).filter(pk=item.pk).update(external_fetched_at=None)
    assert look(Item) == [(item.pk, "changed")]


@pytest.mark.sqlite
def test_what_is_only_written_differently_is_no_finding():
    """SQLite keeps JSON and times as text: recording such a row would not end the difference."""
    item = Item.objects.create(title="A", external_data={"a": "é", "b": 1})
    raw("""UPDATE tasks_item SET external_data = '{"b":1,  "a":"é"}', created_at = replace(created_at, ' ', 'T')""")
    assert [page.suspects for page in pages(Item)] == [[item.pk]]
    assert look(Item) == []
    assert record_all(Item) == []


def test_pages_are_read_to_the_end_whatever_is_on_them(monkeypatch):
    monkeypatch.setattr(unrecorded, "PAGE", 2)
    posts = Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(7))
    changed, dropped, last = posts[1].pk, posts[2].pk, posts[6].pk
    Post.objects.filter(pk=posts[3].pk).delete()
    raw("UPDATE news_post SET title = 'silent' WHERE id IN (%s, %s)", changed, last)
    raw("DELETE FROM news_post WHERE id = %s", dropped)
    assert look(Post) == [(changed, "changed"), (dropped, "deleted"), (last, "changed")]
    assert [len(page.suspects) for page in pages(Post)] == [1, 1, 0, 1]


def test_only_the_newest_history_row_counts():
    post = Post.objects.create(title="A", body="B")
    for title in "CA":
        Post.objects.filter(pk=post.pk).update(title=title)
    raw("UPDATE news_post SET title = 'C'")
    assert look(Post) == [(post.pk, "changed")]


# --- writers meanwhile -----------------------------------------------------------------------------------------------
@pytest.mark.postgres
def test_a_writer_that_has_not_committed_is_no_finding():
    with SlowWriter("open"):
        assert look(Post) == []
    assert look(Post) == []


@pytest.mark.postgres
def test_writers_at_work_are_never_found():
    posts = Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(20))
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            Post.objects.filter(pk=posts[number % 20].pk).update(body=f"B{number}")
            made = Post.objects.create(title="made", body="B")
            made.delete()
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        keys = [post.pk for post in posts] + list(range(posts[-1].pk, posts[-1].pk + 200))
        for _ in range(50):
            assert [page.suspects for page in pages(Post) if page.suspects] == []
            assert look_again(Post, keys) == []
    finally:
        stop.set()
        for writer in writers:
            writer.join(120)


@pytest.mark.postgres
def test_a_row_that_a_writer_put_right_meanwhile_is_not_recorded():
    post = Post.objects.create(title="A", body="B")
    raw("UPDATE news_post SET title = 'silent'")
    done = []

    def recorded():
        done.append(record(Post, [post.pk]))
        connection.close()

    with transaction.atomic():
        Post.objects.filter(pk=post.pk).update(title="A")
        late = threading.Thread(target=recorded)
        late.start()
        late.join(0.3)
        assert done == []  # it waits for the row
    late.join(120)
    assert done == [[]]


# --- it travels ------------------------------------------------------------------------------------------------------
def test_what_is_recorded_travels(remote, target):
    changed, dropped = (Post.objects.create(title=title, body="B") for title in "AC")
    sync(target)
    raw("UPDATE news_post SET title = 'silent' WHERE id = %s", changed.pk)
    raw("DELETE FROM news_post WHERE id = %s", dropped.pk)
    raw("INSERT INTO news_post (user_id, title, body) VALUES (7, 'made', 'B')")
    assert sync(target).total == 0
    assert go_on(Look(model="news.Post", record=True)) is None
    assert sync(target).counts["requests"] == 3
    assert sorted(record["title"] for record in remote.posts.values()) == ["made", "silent"]


def test_recording_wakes_the_routes_that_follow_changes(remote, target):
    target.routes.update(trigger="change")
    Post.objects.create(title="A", body="B")
    sync(target)
    OrmQ.objects.all().delete()
    target.runs.all().delete()
    raw("UPDATE news_post SET title = 'silent'")
    go_on(Look(model="news.Post", record=True))
    assert target.runs.filter(trigger="change").count() == 1


@pytest.mark.slow
def test_a_worker_finds_it_and_where_it_is_told_to_records_it_by_itself(remote, target):
    Post.objects.create(title="A", body="B")
    target.routes.update(trigger="change")
    sync(target)
    raw("UPDATE news_post SET title = 'silent'")
    with Worker(SILENT_CHECK_RECORD="true"):
        remote.wait_for(lambda: [record["title"] for record in remote.posts.values()] == ["silent"], 120)


# --- when it looks, and what is told ---------------------------------------------------------------------------------
def tasks():
    found = []
    for task in OrmQ.objects.all():
        found += task.args()
        task.delete()
    return found


@pytest.fixture
def known():
    """Every model's row is there, as after the first second of a worker."""
    sweep()
    assert HistoryCheck.objects.count() == len(declarations())


def test_each_model_is_looked_at_once_and_then_when_its_time_has_come(known, settings):
    assert sweep() == len(declarations())
    for one in tasks():
        look_for_silent_writes(one)
    assert HistoryCheck.objects.filter(checked_at=None).count() == 0
    assert sweep() == 0
    HistoryCheck.objects.filter(model="news.Post").update(asked_at=F("asked_at") - timedelta(hours=25))
    assert (sweep(), sweep()) == (1, 0)
    assert [one.model for one in tasks()] == ["news.Post"]


def test_a_look_that_was_lost_is_asked_for_again(known):
    sweep()
    tasks()
    HistoryCheck.objects.update(asked_at=F("asked_at") - timedelta(minutes=61))
    assert sweep() == len(declarations())


def test_of_two_hosts_that_see_it_one_asks(known):
    now = timezone.now()
    mine, theirs = (HistoryCheck.objects.get(model="news.Post") for _ in range(2))
    assert (claim(mine, now), claim(theirs, now)) == (True, False)


def test_hours_of_zero_are_never(known, settings):
    settings.SILENT_CHECK_HOURS = 0
    assert sweep() == 0


def test_what_the_setting_says_is_recorded(known, settings):
    settings.SILENT_CHECK_RECORD = True
    Post.objects.create(title="A", body="B")
    raw("UPDATE news_post SET title = 'silent'")
    sweep()
    for one in tasks():
        look_for_silent_writes(one)
    row = HistoryCheck.objects.get(model="news.Post")
    assert (row.found, row.recorded, look(Post)) == (1, 1, [])


def test_a_long_look_goes_on_in_another_task(monkeypatch, caplog):
    monkeypatch.setattr(unrecorded, "PAGE", 2)
    monkeypatch.setattr("syncer.tasks.LOOK_SLICE", 0)
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(5))
    raw("UPDATE news_post SET title = 'silent'")
    silent.ask(Look(model="news.Post"))
    slices = 0
    with caplog.at_level(logging.WARNING):
        while slices < 9 and (found := tasks()):
            look_for_silent_writes(*found)
            slices += 1
    row = HistoryCheck.objects.get(model="news.Post")
    assert (slices, row.found, len(row.sample)) == (4, 5, 5)
    assert "news.Post: 5 rows were changed without history" in caplog.text


def test_the_command_says_what_it_found_and_records_it():
    post = Post.objects.create(title="A", body="B")
    assert run("check_history")[1] == 0
    raw("UPDATE news_post SET title = 'silent'")
    answer, status = run("check_history", "news.Post")
    expected = {"model": "news.Post", "found": 1, "recorded": 0, "sample": [[str(post.pk), "changed"]]}
    assert (answer["models"], status) == ([expected], 1)
    assert run("check_history", "--record")[1] == 0
    assert run("check_history")[1] == 0


def test_the_command_names_the_models_there_are():
    with pytest.raises(CommandError, match=r"'news.Nothing' is not a model .*news\.Post"):
        call_command("check_history", "news.Nothing")
