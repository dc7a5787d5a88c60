import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from syncer.models import Target
from tests.syncer.test_configure import EXAMPLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "fakeapi.toml"
    file.write_text(EXAMPLE)
    return file


def run(*args: object) -> str:
    out = StringIO()
    call_command("sync_configure", *map(str, args), stdout=out)
    return out.getvalue()


def test_it_says_what_it_did(file):
    assert run(file) == "fakeapi: created\nfakeapi news.Post: created\nfakeapi news.Comment: created\n"
    assert run(file) == "fakeapi: unchanged\nfakeapi news.Post: unchanged\nfakeapi news.Comment: unchanged\n"
    file.write_text(EXAMPLE.split("[[")[0].replace("3999", "4000"))
    assert run(file) == (
        "fakeapi: changed (url: 'http://127.0.0.1:3999' → 'http://127.0.0.1:4000')\n"
        "fakeapi news.Post: disabled, for the file has no route for it; what the target holds stays known\n"
        "fakeapi news.Comment: disabled, for the file has no route for it; what the target holds stays known\n"
    )


def test_check_says_that_nothing_is_written(file):
    assert run(file, "--check").splitlines()[:2] == ["Nothing is written (--check). It would be:", "fakeapi: created"]
    assert not Target.objects.exists()


def test_the_faults_stand_with_file_and_path(file):
    file.write_text(EXAMPLE.replace('"/posts"', '"posts"').replace('title = "title"', 'title = "titel"'))
    with pytest.raises(CommandError) as caught:
        run(file)
    route = f"{file}: targets.fakeapi.routes[0]"
    allowed = "user_id, title, body, slug"
    assert str(caught.value).splitlines() == [
        f"2 faults in {file}; nothing was written",
        f"{route}.fields.title: news.Post has no field 'titel' that may travel; choose one of: {allowed}",
        f"{route}.path: A path begins with '/' and has no '?', '#' or white space",
    ]


def test_programs_read_json(file):
    answer = json.loads(run(file, "--json"))
    assert (answer["ok"], answer["written"], answer["notes"]) == (True, True, [])
    assert (answer["changes"][0]["route"], answer["changes"][0]["outcome"]) == (None, "created")
    file.write_text("x = 1")
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("sync_configure", str(file), "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert (answer["ok"], [fault["path"] for fault in answer["faults"]]) == (False, ["targets", "x"])
