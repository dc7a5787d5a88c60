"""Law 8: no secret is in the database in the clear, in a log, in history, in an export or in an attempt.

Secrets are planted wherever the program takes any. Then everything is made to happen: targets that send back what they
are signed in to with, in each place and form; errors of the program; every page, command and file. At the end all that
the program wrote is searched: every column of every table, every file, every log, every answer.
"""

import json
import logging
import zipfile
from pathlib import Path

import pytest
from django_q.tasks import async_task

from backoffice.kit.sessions.store import SessionStore
from content.news.models import Post
from syncer.models import Attempt
from tests.planted import program, search, targets, workers
from tests.planted.echo import echo
from tests.planted.forms import FORMS
from tests.planted.planted import Planted

pytestmark = [pytest.mark.quick("postgres"), pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("kinds", "attempts"),
    [
        pytest.param(["header"], 8, id="one sign-in, without a worker"),
        pytest.param([*targets.SIGN_INS][::2], 20, id="every second one", marks=pytest.mark.slow),
        pytest.param([*targets.SIGN_INS][1::2], 20, id="the others", marks=pytest.mark.slow),
    ],
)
def test_no_secret_is_revealed_or_kept(settings, tmp_path, monkeypatch, caplog, kinds, attempts):
    caplog.set_level(logging.DEBUG)
    planted, folder = Planted(), tmp_path / "secrets"
    folder.mkdir()
    settings.SECRET_REFERENCE_FOLDERS = [str(folder)]
    planted.cores |= {"the signing key": settings.SECRET_KEY, "short": targets.SHORT}
    program.use_the_api(planted)
    for kind in kinds:
        secret = targets.SHORT if kind == "short" else planted.secret(kind)
        with echo(secret, token=planted.secret(f"{kind}: a token")) as server:
            target = targets.target_for(kind, server.url, secret, folder=folder, environment=monkeypatch)
            targets.go_through(planted, target, server)
            if kind == "bearer":
                workers.work(planted, target, server, folder=folder)
    with echo(planted.secret("the external API")) as server:
        program.enrich(planted, settings, server)
    program.configure(planted, tmp_path)
    program.look_at_everything(planted, settings, attempts=attempts)
    assert Attempt.objects.filter(answer__contains="***").count() > 20 * len(kinds)

    places = [*planted.heard, ("the log", caplog.text.encode()), *search.database()]
    hits = search.found(planted.cores, [*places, *search.files(Path(settings.VAR_DIR))])
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize("form", [form for form in FORMS if "base64" not in form])
def test_the_search_finds_what_is_there(settings, tmp_path, form):
    planted = Planted()
    written = FORMS[form](planted.secret("it"))
    Post.objects.create(title=written[:200], body="B")
    async_task("a.task", {"it": written})
    session = SessionStore()
    session["it"] = written
    session.save()
    with zipfile.ZipFile(tmp_path / "it.xlsx", "w") as archive:
        archive.writestr("sheet.xml", json.dumps(written))
    hits = search.found(planted.cores, [*search.database(), *search.files(tmp_path)])
    for place in ("news_post.title", "news_historicalpost.title", "queued", "session", "it.xlsx/sheet.xml"):
        assert f"it in {place}" in "\n".join(hits)


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_the_search_finds_base64_wherever_in_it_the_secret_begins(before):
    planted = Planted()
    written = FORMS["in base64"](before + planted.secret("it"))
    assert search.found(planted.cores, [("a text", written.encode())])
