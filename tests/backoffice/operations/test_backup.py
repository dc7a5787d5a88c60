"""Backups and restores of the real database, by the real programs."""

import json
import stat
import threading
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from backoffice.kit import clock, waiting_files
from backoffice.kit.audit.models import Entry
from backoffice.kit.jobs.service import work_here
from backoffice.operations import backup, postgresql
from backoffice.operations.archive import Reader, Writer
from backoffice.operations.backup import restore, take
from backoffice.operations.errors import BackupError
from content.news.models import Post
from syncer.models import Worker, restore_detection
from syncer.recovery.recover import recover
from tests.content.files import table
from tests.content.test_import_slices import begun, done, job_of
from tests.syncer.support import started

pytestmark = pytest.mark.django_db(transaction=True)


def restored(path, **options):
    return restore(path, **{"node": "test", "replace": False, **options})


def refusal(path, **options):
    with pytest.raises(BackupError) as refused:
        restored(path, **options)
    return str(refused.value)


def built(path, source, **changed):
    """The archive `source`, with other values in its manifest and checksums that fit what is in it."""
    with source.open("rb") as file, path.open("wb") as target:
        reader = Reader(file)
        values = {key: value for key, value in changed.items() if "." not in key}
        with Writer(target) as writer:
            for name in reader.manifest.files:
                with reader.open(name) as stream:
                    writer.add(name, changed[name](stream) if name in changed else stream)
            writer.finish(replace(reader.manifest, **values))
    return path


def titles():
    return sorted(Post.objects.values_list("title", flat=True))


# --- the file --------------------------------------------------------------------------------------------------------
def test_a_backup_is_one_file_for_its_owner_and_holds_no_secret(tmp_path, settings):
    settings.SECRET_KEY = "this-key-is-in-no-backup-0123456789-0123456789"
    path = take(tmp_path / "backups")
    assert [*path.parent.iterdir()] == [path]
    assert (stat.S_IMODE(path.stat().st_mode), path.suffix) == (0o600, ".zip")
    with ZipFile(path) as archive:
        assert not any(settings.SECRET_KEY.encode() in archive.read(name) for name in archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["node"], manifest["database"]) == ("test", connection.vendor)
    assert "news.0001_initial" in manifest["migrations"]
    with pytest.raises(BackupError, match="replaces no file"):
        take(path)


def test_a_backup_is_as_of_one_moment_whoever_writes_meanwhile(tmp_path, elsewhere):
    """Each transaction gives both posts the same title; a copy that is no snapshot has two different ones."""
    pair = [Post.objects.create(title="0", body="B") for _ in range(2)]
    Post.objects.bulk_create(Post(title="0", body="x" * 1000) for _ in range(300))
    done, written = threading.Event(), threading.Event()

    def write():
        number = 0
        while not done.is_set():
            number += 1
            with transaction.atomic():
                for post in pair:
                    Post.objects.filter(pk=post.pk).update(title=str(number))
            written.set()

    writer = started(write)
    try:
        assert written.wait(60)
        path = take(tmp_path)
    finally:
        done.set()
        writer.join()
    with elsewhere():
        restored(path)
        found = set(Post.objects.filter(pk__in=[post.pk for post in pair]).values_list("title", flat=True))
        history = Post.history.filter(id__in=[post.pk for post in pair], title__in=found)
        assert (len(found), history.count()) == (1, 2)


def test_an_import_that_waited_goes_on_after_a_restore(tmp_path, elsewhere):
    record = begun(Post, table(["title", "body"], ["from the file", "B"]))
    path = take(tmp_path)
    for file in waiting_files.folder().iterdir():
        file.unlink()
    with elsewhere():
        restored(path)
        assert {stat.S_IMODE(file.stat().st_mode) for file in waiting_files.folder().iterdir()} == {0o600}
        work_here(job_of(record))
        done(record)
        assert titles() == ["from the file"]


@pytest.mark.sqlite
def test_a_damaged_database_makes_no_backup(tmp_path, elsewhere):
    path = take(tmp_path)
    with elsewhere():
        restored(path)
        Post.objects.bulk_create(Post(title="A", body="B" * 1000) for _ in range(100))
        with connection.cursor() as cursor:
            cursor.execute("SELECT rootpage, page_size FROM sqlite_master, pragma_page_size WHERE name = 'news_post'")
            page, size = cursor.fetchone()
        connection.close()
        with Path(connection.settings_dict["NAME"]).open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
        with pytest.raises(BackupError, match="damaged"):
            take(tmp_path / "damaged.zip")
    assert [*tmp_path.glob("*damaged*")] == []


# --- PostgreSQL's programs -------------------------------------------------------------------------------------------
@pytest.mark.postgres
def test_programs_that_are_missing_or_of_another_version_are_named_with_the_cure(tmp_path, settings):
    settings.POSTGRES_PROGRAMS = str(tmp_path)
    for text in ("", "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n"):
        if text:
            (tmp_path / "pg_dump").write_text(text)
            (tmp_path / "pg_dump").chmod(0o755)
        with pytest.raises(BackupError, match=r"postgresql-client-\d+\), or name their folder in POSTGRES_PROGRAMS"):
            take(tmp_path / "a.zip")
    assert [*tmp_path.glob("*.zip*")] == []


@pytest.mark.postgres
def test_no_list_of_processes_shows_the_password(tmp_path, settings, monkeypatch):
    (tmp_path / "pg_dump").write_text(
        '#!/bin/sh\necho "PostgreSQL 16" "$@" >> "${0%/*}/arguments"\n[ "$1" = --version ] && echo PG 16'
    )
    (tmp_path / "pg_dump").chmod(0o755)
    settings.POSTGRES_PROGRAMS = str(tmp_path)
    monkeypatch.setattr(postgresql, "server", lambda: 16)
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "a-secret-password")
    with pytest.raises(BackupError, match="pg_dump failed: exit status 1"):
        take(tmp_path / "a.zip")
    arguments = (tmp_path / "arguments").read_text()
    assert connection.settings_dict["NAME"] in arguments
    assert "a-secret-password" not in arguments


# --- what is not restored --------------------------------------------------------------------------------------------
def test_a_file_that_was_cut_or_altered_is_refused(tmp_path):
    Post.objects.create(title="here", body="B")
    whole = take(tmp_path).read_bytes()
    file = tmp_path / "other.zip"
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        assert refusal(file, replace=True).startswith("It is cut, damaged or not a backup"), size
    middle = len(whole) // 3
    file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    assert refusal(file, replace=True).startswith("It is cut, damaged or not a backup")
    file.write_bytes(whole)
    with ZipFile(file, "a") as archive:
        archive.writestr("uploads/" + "0" * 32, "not in the manifest")
    assert refusal(file, replace=True).startswith("It was altered: uploads/0")
    assert "can't be read: No such file" in refusal(tmp_path / "absent.zip")
    assert titles() == ["here"]


def test_what_does_not_fit_this_node_is_refused(tmp_path):
    source = take(tmp_path)
    known = [".".join(name) for name in MigrationRecorder(connection).applied_migrations()]
    for changed, why in (
        ({"node": "warehouse"}, "of the node warehouse. If that is meant, add --node warehouse."),
        ({"migrations": [*known, "news.0099_later"]}, "newer version of the program.*news.0099_later"),
        ({"database": "oracle"}, f"It is of oracle; the database here is {connection.vendor}"),
        ({"server": 99}, f"It is of {connection.vendor} 99; the database here has version"),
        ({"format": 2}, "It has the format 2; this version of the program reads 1"),
    ):
        file = built(tmp_path / "changed.zip", source, **changed)
        with pytest.raises(BackupError, match=why):
            restored(file, replace=True)


def test_another_nodes_backup_is_restored_where_that_is_asked_for(tmp_path, elsewhere):
    Post.objects.create(title="theirs", body="B")
    file = built(tmp_path / "warehouse.zip", take(tmp_path), node="warehouse")
    with elsewhere():
        restored(file, node="warehouse")
        assert titles() == ["theirs"]


def test_a_database_that_is_not_empty_is_replaced_only_where_that_is_asked_for(tmp_path, elsewhere):
    Post.objects.create(title="in the backup", body="B")
    path = take(tmp_path)
    with elsewhere():
        restored(path)
        Post.objects.create(title="after it", body="B")
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE of_a_newer_version (post_id bigint REFERENCES news_post)")
        assert refusal(path).startswith("The database here is not empty")
        assert titles() == ["after it", "in the backup"]
        restored(path, replace=True)
        assert titles() == ["in the backup"]
        assert "of_a_newer_version" not in connection.introspection.table_names()


def test_the_audit_trail_has_the_restore(tmp_path, elsewhere):
    path = take(tmp_path)
    with elsewhere():
        manifest, _ = restored(path)
        [entry] = Entry.objects.filter(action="database.restored")
        assert entry.details == {"node": "test", "taken_at": manifest.taken_at}
    known = [name for name in manifest.migrations if not name.startswith("audit.")]
    with elsewhere():
        _, missing = restored(built(tmp_path / "older.zip", path, migrations=known))
        assert missing == len(manifest.migrations) - len(known)
        assert not Entry.objects.filter(action="database.restored").exists()


def test_nothing_is_restored_while_somebody_uses_the_database(tmp_path, elsewhere):
    path = take(tmp_path)
    with elsewhere():
        restored(path)
        recover()
        Worker.objects.create(host="h", pid=1, started_at=clock.now(), heartbeat_at=clock.now())
        assert "Stop the web server and the worker first: the worker on h, process 1 had a" in refusal(
            path, replace=True
        )
        Worker.objects.all().delete()
        with closing(connections.create_connection("default")) as other:
            other.cursor().execute("SELECT 1 FROM news_post")
            assert "Stop the web server and the worker first: " in refusal(path, replace=True)
        assert connection.vendor == "postgresql" or not restore_detection.is_put_back()
        restored(path, replace=True)


def test_a_restore_that_fails_leaves_everything_as_it_was(tmp_path, elsewhere):
    """The checksums are right, and the database in it ends in the middle."""
    Post.objects.create(title="in the backup", body="B")
    path = take(tmp_path)
    name = backup.ENGINES[connection.vendor].FILE

    def half(stream):
        whole = stream.read()
        return BytesIO(whole[: len(whole) // 2])

    file = built(tmp_path / "half.zip", path, **{name: half})
    with elsewhere():
        restored(path)
        Post.objects.create(title="after it", body="B")
        assert refusal(file, replace=True).startswith(("The database in it is damaged", "pg_restore failed: "))
        assert titles() == ["after it", "in the backup"]


@pytest.mark.sqlite
def test_a_database_keeps_its_file_so_that_its_owner_may_use_it(tmp_path, elsewhere):
    path = take(tmp_path)
    with elsewhere():
        restored(path)
        before = Path(connection.settings_dict["NAME"]).stat().st_ino
        restored(path, replace=True)
        assert Path(connection.settings_dict["NAME"]).stat().st_ino == before


@pytest.mark.sqlite
def test_a_restore_is_noticed_although_the_file_is_the_same_and_no_run_followed_the_backup(tmp_path, elsewhere):
    with elsewhere():
        call_command("migrate", verbosity=0)
        path = take(tmp_path)
        assert not restore_detection.is_put_back()
        restored(path, replace=True)
        assert restore_detection.is_put_back()


def test_the_commands_say_what_was_done_and_what_comes_next(tmp_path, elsewhere, capsys):
    call_command("backup", str(tmp_path / "a.zip"))
    assert "was read again whole" in capsys.readouterr().out
    with elsewhere():
        call_command("restore", str(tmp_path / "a.zip"))
        said = capsys.readouterr().out
        assert "Restored: test, as of " in said
        assert "sync_recover" in said
        assert "migrate" not in said
        with pytest.raises(CommandError, match=r"Nothing was restored\. The database here is not empty"):
            call_command("restore", str(tmp_path / "a.zip"))
