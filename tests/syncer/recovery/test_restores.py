"""What is done where the database was restored: the routes stop, and the cure ends with both ends equal."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.urls import reverse

from content.news.models import Comment, Post
from syncer.core.errors import ForeignMarkError
from syncer.engine.claims import claim
from syncer.engine.dispatch import dispatch
from syncer.engine.plan import plan
from syncer.engine.runs import run_here, work
from syncer.engine.sender import Sender
from syncer.engine.settling import write
from syncer.engine.wake import sweep
from syncer.models import Binding, Run, Target, mark, restore_detection
from syncer.models.mark import POSTGRESQL
from syncer.models.routemap import RouteMap
from syncer.recovery.recover import recover
from syncer.targets.base import Step
from syncer.targets.rest.deliver import deliver
from syncer.targets.rest.first_load import load_target
from tests.content.pages import administrator
from tests.remote import Fault
from tests.syncer.backups import backup, recovered, restored, write_over
from tests.syncer.conftest import sync
from tests.syncer.management.test_commands import run
from tests.syncer.support import binding_of, let_time_pass, requests

NOTHING = "Nothing to send: everything was accepted by the target."

pytestmark = pytest.mark.django_db(transaction=True)


def comment(post, name):
    return Comment.objects.create(post=post, name=name, email="n@example.com", body="B")


def ours():
    posts = Counter(Post.objects.values_list("title", "body"))
    return posts, Counter(Comment.objects.values_list("post__title", "name", "body"))


def theirs(remote, *, without=()):
    """What the remote holds, but for the records whose title or name is among `without`."""
    title = {key: record["title"] for key, record in remote.posts.items()}
    posts = [(one["title"], one["body"]) for one in remote.posts.values() if one["title"] not in without]
    comments = [
        (title[one["postId"]], one["name"], one["body"])
        for one in remote.comments.values()
        if one["name"] not in without
    ]
    return Counter(posts), Counter(comments)


def assert_stopped(target, remote, why):
    remote.clear_journal()
    assert sync(target).message.startswith("Blocked: ")
    target.refresh_from_db()
    assert why in target.blocked
    assert "manage.py sync_recover" in target.blocked
    assert requests(remote) == []


# --- a restore is noticed --------------------------------------------------------------------------------------------
def test_on_a_copy_of_the_database_nothing_is_sent(target, synced, remote):
    with backup() as name, restored(name):
        Post.objects.update(title="edited on the copy")
        assert_stopped(target, remote, "in another database than this one")


def test_a_copy_does_not_send_what_was_due_either_whoever_asks(target, synced, remote):
    Binding.objects.update(unconfirmed=True)
    with backup() as name, restored(name):
        remote.clear_journal()
        assert sweep() == 1
        for open_ in Run.objects.filter(finished_at=None):
            sync(open_.target)
        scope = {"news.Post": [str(synced.pk)]}
        run_ = Run.objects.create(target=target, trigger=Run.Trigger.MANUAL, scope=scope)
        work(run_)
        assert requests(remote) == []
        assert "sync_recover" in Target.objects.get().blocked


def test_a_run_does_not_go_on_in_another_database(target, synced, remote):
    """Behind a pooler, a fail-over amid a run ends no session."""
    Post.objects.update(title="edited")
    run_ = Run.objects.create(target=target, trigger=Run.Trigger.MANUAL)
    routes = RouteMap(target)
    plan(routes, target.routes.get(model="news.Post"))
    assert routes.database
    with backup() as name, restored(name), pytest.raises(ForeignMarkError):
        dispatch(run_, routes, until=float("inf"))
    assert requests(remote) == []


def test_a_target_is_not_blocked_for_marks_that_were_recovered_meanwhile(target, synced, remote, monkeypatch):
    """By a worker that has read them just before."""
    check = mark.check

    def check_slowly(read):
        try:
            check(read)
        except ForeignMarkError:
            recover()
            raise

    with backup() as name, restored(name):
        monkeypatch.setattr(mark, "check", check_slowly)
        sync(target)
        target.refresh_from_db()
        assert target.blocked == ""
        assert sync(target).state == "done"


def test_a_delivery_that_began_after_the_backup_settles_nothing_in_what_was_restored(target, synced):
    """A standby that was promoted without the last commits does not know of these claims."""
    routes = RouteMap(target)
    route = routes.target.routes.get(model="news.Post")
    with backup() as name:
        Binding.objects.update(wanted=F("wanted") + 1)
        [late] = claim(routes, Step(route=route), keys=None, limit=1, lease=60)
        with restored(name):
            recover()
            assert not write([(late, {"delivered": 1})])


def test_the_original_goes_on(target, synced, remote):
    with backup() as name, restored(name):
        assert_stopped(target, remote, "in another database than this one")
    target.refresh_from_db()
    Post.objects.update(title="edited on the original")
    assert sync(target).message == "1 updated."


def test_a_restore_is_noticed_where_single_objects_were_synced_only(target, post, remote):
    scopes = [{"news.Post": [str(one.pk)]} for one in (post, Post.objects.create(title="other", body="B"))]
    run_here(target, scope=scopes[0])
    with backup() as name:
        run_here(target, scope=scopes[1])
        with restored(name):
            assert "sync_recover" in run_here(Target.objects.get(), scope=scopes[1]).message
    assert len(remote.posts) == 2
    assert sync(target).message == NOTHING


def test_a_restore_to_just_after_the_first_load_is_noticed(target, remote):
    remote.store.create("posts", {"userId": 3, "title": "T", "body": "B"})
    load_target(target)
    with backup() as name:
        Post.objects.update(title="edited after the backup")
        sync(target)
        with restored(name):
            assert_stopped(Target.objects.get(), remote, "in another database than this one")


@pytest.mark.sqlite
def test_a_backup_that_was_written_over_the_file_is_noticed(target, post, remote):
    sync(target)
    with backup() as name:
        Post.objects.create(title="after the backup", body="B")
        sync(target)
        write_over(name)
        for _ in range(3):  # however often somebody asks
            assert_stopped(target, remote, "put back to an older state")
        recover()
        assert sync(target).state == "done"
        assert sync(target).state == "done"
    assert len(remote.posts) == 2


@pytest.mark.sqlite
def test_a_backup_that_nothing_was_sent_after_can_be_written_over_the_file(target, synced, remote):
    with backup() as name:
        Post.objects.create(title="never sent", body="B")
        write_over(name)
        assert sync(target).message == NOTHING


@pytest.mark.sqlite
def test_a_file_that_is_moved_restarted_or_vacuumed_goes_on(target, synced, remote):
    connection.close()
    file = Path(connection.settings_dict["NAME"])
    moved = file.with_name("moved.sqlite3")
    file.rename(moved)
    try:
        with restored(str(moved)):
            with connection.cursor() as cursor:
                cursor.execute("VACUUM")
            Post.objects.update(title="edited")
            assert sync(target).message == "1 updated."
    finally:
        moved.rename(file)
        for beside in file.parent.glob("moved.sqlite3-*"):
            beside.unlink()


@pytest.mark.sqlite
def test_threads_of_one_process_count_runs_at_once():
    def count_many():
        try:
            for _ in range(25):
                restore_detection.count()
        finally:
            connection.close()

    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda _: count_many(), range(4)))
    assert not restore_detection.is_put_back()


@pytest.mark.sqlite
def test_a_run_that_was_counted_in_a_transaction_that_failed_is_not_a_restore():
    with transaction.atomic():
        restore_detection.count()
        transaction.set_rollback(True)
    assert not restore_detection.is_put_back()


@pytest.mark.sqlite
def test_a_new_file_under_the_old_name_goes_on(target, synced, remote):
    """As after `rm` and `migrate`, where the new file got the inode of the old one: what was noted is that one's."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA user_version = 0")
    Binding.objects.all().delete()
    target.routes.update(mark="", fingerprint="")
    assert sync(target).state == "done"
    Post.objects.update(title="edited")
    assert sync(target).message == "1 updated."


def test_a_mark_from_the_future_stops_the_route(target, synced, remote):
    route = target.routes.get(model="news.Post")
    database, position = route.mark.split("/")
    later = ":".join(str(int(number or 0) + 1_000_000) for number in position.split(":")[:2])
    route.mark = f"{database}/{later}{':' if ':' in position else ''}"
    route.save()
    Post.objects.update(title="edited")
    assert_stopped(target, remote, "More of the history was read than this database has")


@pytest.mark.postgres
def test_tables_that_were_created_again_are_another_database(target, synced, remote):
    """As `pg_restore --clean` makes them, within the same database."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE syncer_route RENAME TO was; CREATE TABLE syncer_route AS SELECT * FROM was")
        answer, status = run("sync_status")
        transaction.set_rollback(True)
    assert ("sync_recover" in answer["blocked"]["fakeapi"], status) == (True, 1)


@pytest.mark.postgres
def test_a_server_that_was_recovered_to_an_earlier_point_is_another_one():
    """Everything else of it is the same, but a recovery ends on a timeline of its own."""
    with recovered() as addresses:
        before, after = map(cluster, addresses)
    assert before[:-1] == after[:-1]
    assert before[-1] != after[-1]


def cluster(address):
    """What names a database in marks; of the tables, one that every database has."""
    server = cast(Any, connection).Database.connect(address)
    with server.cursor() as cursor:
        cursor.execute(f"SELECT {POSTGRESQL.replace('syncer_route', 'pg_class')}")
        found = cursor.fetchone()[0].split("-")
    server.close()
    return found


def test_a_mark_of_an_older_version_of_the_program_is_taken_as_ours(target, synced, remote):
    for route in target.routes.all():
        database, position = route.mark.split("/")
        parts = database.split("-")
        route.mark = f"{'-'.join(parts[: 3 if parts[0] == 'postgresql' else 1])}/{position}"
        route.save()
    Post.objects.update(title="edited")
    assert sync(target).message == "1 updated."
    assert target.routes.first().mark.count("-") >= 1


def test_comparing_everything_again_does_not_replace_the_cure(target, synced, remote):
    with backup() as name, restored(name):
        route = target.routes.first()
        client = administrator()
        page = client.post(reverse("admin:syncer_route_recompare", args=[route.pk]), follow=True).content.decode()
        assert "manage.py sync_recover" in page
        assert "Compare everything again" not in page
        route.refresh_from_db()
        assert route.mark


def test_the_pages_and_the_status_name_the_cure(target, synced, remote):
    with backup() as name, restored(name):
        client = administrator()
        addresses = [reverse("admin:index"), reverse("admin:syncer_target_change", args=[target.pk])]
        for address in addresses:
            assert "manage.py sync_recover" in client.get(address).content.decode()
        answer, status = run("sync_status")
    assert ("sync_recover" in answer["blocked"]["fakeapi"], status) == (True, 1)


# --- the cure --------------------------------------------------------------------------------------------------------
def test_after_sync_recover_both_ends_are_equal_though_the_target_moved_on(target, remote):
    changed, deleted, lost, same = (Post.objects.create(title=title, body="B") for title in "ABCD")
    for post in (changed, deleted, lost, same):
        comment(post, f"of {post.title}")
    sync(target)
    Post.objects.create(title="made, not sent", body="B")
    comment(same, "made, not sent either")
    remote.fault(Fault.RESET, method="POST", path="/posts", act=True)
    sync(target)
    assert Binding.objects.filter(create_body__isnull=False).count() == 1
    with backup() as name:
        let_time_pass()
        sync(target)
        move_on(target, remote, changed, deleted, lost, same)
        with restored(name):
            assert_stopped(target, remote, "in another database than this one")
            assert run("sync_recover")[1] == 0
            let_time_pass()
            done = sync(target)
            assert (done.state, done.message) == ("done", done.message)
            assert theirs(remote, without=("extra", "extra of D")) == ours()
            assert Binding.objects.filter(look_first=True, remote_id__isnull=False).count() == 0
            remote.clear_journal()
            assert sync(target).message == NOTHING
            assert requests(remote) == []


def move_on(target, remote, changed, deleted, lost, same):
    """What the backup does not know: edits, deletes and creates that were delivered, and what others did there."""
    Post.objects.filter(pk=changed.pk).update(body="edited after the backup")
    Comment.objects.filter(name="of D").update(body="edited after the backup")
    deleted.delete()
    record = binding_of(lost).record
    remote.lose(f"/posts/{record}")
    Post.objects.filter(pk=lost.pk).update(body="edited")
    extra = Post.objects.create(title="extra", body="B")
    comment(extra, "extra of D")
    sync(target)
    sync(target)
    Post.objects.filter(pk=lost.pk).update(body="B")
    assert sync(target).state == "done"
    assert binding_of(lost).record != record
    remote.store.merge("posts", int(binding_of(same).record), {"body": "somebody else's"})


def test_what_was_deleted_on_the_restored_database_goes_at_the_target(target, synced, remote):
    with backup() as name, restored(name):
        synced.delete()
        recover()
        sync(Target.objects.get())
        assert remote.posts == {}


def test_a_record_that_was_made_after_the_backup_is_found_and_not_made_again(target, post, remote):
    with backup() as name:
        sync(target)
        with restored(name):
            recover()
            remote.clear_journal()
            sync(Target.objects.get())
            assert [method for method, _ in requests(remote)] == ["GET", "PUT"]
            assert binding_of(post).record == "1"
    assert len(remote.posts) == 1


def test_without_a_lookup_what_may_have_been_made_is_left_to_a_person(target, post, remote):
    target.routes.update(lookup=[])
    with backup() as name:
        sync(target)
        with restored(name):
            recover()
            assert sync(Target.objects.get()).state == "failed"
            assert binding_of(post).in_doubt
    assert len(remote.posts) == 1


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"lookup": ["title"]}, "looked up before they are created"),
        ({"lookup": [], "own_id": "id"}, "looked up before they are created"),
        ({"lookup": []}, "left to a person: the route has no lookup"),
    ],
    ids=["lookup", "own id", "neither"],
)
def test_the_command_says_what_becomes_of_objects_without_a_known_record(target, post, columns, text):
    target.routes.update(**columns)
    out = StringIO()
    call_command("sync_recover", "--check", stdout=out)
    assert f"news.Post: 0 with a record there, sent whole or deleted; 1 without one that is known, {text}." in (
        out.getvalue()
    )


def test_an_unanswered_create_of_the_backup_is_not_repeated_under_its_key(target, post, remote):
    """After the backup it was found not to have arrived, and made under another key, which the backup does not know."""
    target.routes.update(key_hours=24)
    remote.honor_keys()
    remote.fault(Fault.RESET, method="POST", act=False)
    sync(target)
    with backup() as name:
        target.routes.update(key_hours=0)
        let_time_pass()
        sync(target)
        Post.objects.update(body="edited after the backup")
        sync(target)
        assert len(remote.posts) == 1
        with restored(name):
            recover()
            let_time_pass()
            sync(Target.objects.get())
            assert binding_of(post).in_doubt, "what is newer there than here is not overwritten unasked"
            run("sync_link", "fakeapi", f"news.Post:{post.pk}", "1")
            sync(Target.objects.get())
    assert [(record["title"], record["body"]) for record in remote.posts.values()] == [("A", "B")]


def test_a_create_that_was_found_and_changed_after_the_backup_is_looked_up_as_it_is_now_too(target, post, remote):
    remote.fault(Fault.RESET, method="POST", act=True)
    sync(target)
    post.title = "edited before the backup"
    post.save()
    with backup() as name:
        let_time_pass()
        sync(target)
        with restored(name):
            recover()
            let_time_pass()
            assert sync(Target.objects.get()).state == "done"
    assert [record["title"] for record in remote.posts.values()] == ["edited before the backup"]


def test_a_worker_that_still_runs_settles_nothing_and_its_lease_is_sat_out(target, synced, remote):
    Post.objects.update(title="edited")
    routes = RouteMap(target)
    route = routes.parents_first[0]
    Binding.objects.update(unconfirmed=True)
    late = Run.objects.create(target=target, trigger=Run.Trigger.RETRY)
    with Sender(target) as sender:
        bindings = claim(routes, Step(route=route), keys=None, limit=10, lease=sender.lease_seconds)
        recover()
        deliver(late, routes, route, [bindings], sender)
        found = binding_of(synced)
        assert (found.unconfirmed, found.agreed["title"]) == (True, "A")
        assert claim(routes, Step(route=route), keys=None, limit=10, lease=sender.lease_seconds) == []


def test_what_was_set_aside_stays_or_is_tried_again(target, remote):
    held, doubted, refused = (Post.objects.create(title=title, body="B") for title in "ABC")
    sync(target)
    for post, aside in ((held, {"on_hold": True}), (doubted, {"in_doubt": True}), (refused, {"rejected": 1})):
        Binding.objects.filter(object_key=str(post.pk)).update(**aside)
    Post.objects.update(body="edited")
    recover()
    assert binding_of(refused).rejected is None
    sync(target)
    assert sorted(record["title"] for record in remote.posts.values() if record["body"] == "edited") == ["C"]
    assert (binding_of(held).on_hold, binding_of(doubted).in_doubt) == (True, True)


def test_twice_does_no_harm(target, synced, remote):
    recover()
    recover()
    assert sync(target).message == "1 updated."
    assert sync(target).message == NOTHING


def test_a_target_that_was_paused_for_it_goes_on_and_another_stays_paused(target, synced, remote):
    Target.objects.create(name="other", url="http://127.0.0.1:9", blocked="answered 401")
    with backup() as name, restored(name):
        sync(target)
        recover()
        assert dict(Target.objects.values_list("name", "blocked")) == {"fakeapi": "", "other": "answered 401"}


def test_check_says_what_would_be_done_and_writes_nothing(target, synced, remote):
    comment(synced, "not sent")
    with backup() as name, restored(name):
        before = [*Binding.objects.values(), *target.routes.values()]
        answer, status = run("sync_recover", "--check")
        assert [*Binding.objects.values(), *target.routes.values()] == before
    assert status == 1
    assert [(one["model"], one["bound"], one["unbound"]) for one in answer["routes"]] == [
        ("news.Post", 1, 0),
        ("news.Comment", 0, 1),
    ]
    assert "sync_recover" in answer["routes"][0]["problem"]


def test_check_of_a_database_that_was_not_restored_is_content(target, synced):
    answer, status = run("sync_recover", "--check")
    assert ([one["problem"] for one in answer["routes"]], status) == (["", ""], 0)


@pytest.mark.postgres
def test_history_of_a_cluster_that_was_further_is_not_read_for_ever(target, synced, remote):
    """Its numbers of transactions lie in the future of this one."""
    Post.history.update(txid=2**40)
    Comment.history.update(txid=2**40)
    recover()
    sync(target)
    assert sync(target).total == 0
