import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError

from backoffice.accounts.models import User
from content.news.models import Post
from syncer.admin.forms import TargetForm
from syncer.configure import ConfigurationError, Report, configure, schema
from syncer.configure.rows import columns_of
from syncer.models import Route, Target
from syncer.targets.base import kinds

pytestmark = pytest.mark.django_db

TARGET = """\
[targets.fakeapi]
url = "http://127.0.0.1:3999"
"""
POSTS = """\
[[targets.fakeapi.routes]]
model = "news.Post"
path = "/posts"
fields = { userId = "user_id", title = "title", body = "body" }
lookup = ["userId", "title"]
trigger = "change"
"""
COMMENTS = """\
[[targets.fakeapi.routes]]
model = "news.Comment"
path = "/comments"
fields = { postId = "post", name = "name", email = "email", body = "body" }
lookup = ["postId", "email", "name"]
"""
EXAMPLE = TARGET + POSTS + COMMENTS
JWT = 'type = "jwt", user = "u", secret = "env:SYNC_S"'
OAUTH2 = JWT.replace("jwt", "oauth2")


@pytest.fixture
def write(tmp_path):
    def write(text):
        file = tmp_path / "fakeapi.toml"
        file.write_text(textwrap.dedent(text))
        return file

    return write


def outcomes(report: Report) -> list[tuple[str | None, str]]:
    return [(change.route, change.outcome) for change in report.changes]


def faults(file: Path) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        configure(file)
    return [(fault.path, fault.message) for fault in caught.value.faults]


def test_the_example_becomes_a_target_and_its_routes(write, monkeypatch):
    monkeypatch.setenv("SYNC_PASSWORD", "s3cret")
    report = configure(
        write("""\
        [targets.fakeapi]
        kind = "rest"
        title = "Fake API"
        url = "http://127.0.0.1:3999"
        auth = { type = "basic", user = "editor", secret = "env:SYNC_PASSWORD" }
        concurrency = 4
        timeout = 5
        [[targets.fakeapi.routes]]
        model = "news.Post"
        path = "/posts"
        fields = { userId = "user_id", title = "title" }
        lookup = ["userId", "title"]
        trigger = "every 5 minutes"
        filter = { user_id__gt = 10 }
        update = "PATCH"
        missing = "reject"
        key_hours = 24
        id = "key"
        items = "items"
        next = "next"
        [[targets.fakeapi.routes]]
        model = "news.Comment"
        path = "/comments"
        create_path = "/posts/{post}/comments"
        enabled = false
        [targets.fakeapi.routes.fields]
        postId = "post"
        name = "name"
        """)
    )
    assert outcomes(report) == [(None, "created"), ("news.Post", "created"), ("news.Comment", "created")]
    assert report.notes == []
    target = Target.objects.get(name="fakeapi")
    assert (target.title, target.kind, target.enabled) == ("Fake API", "rest", True)
    assert target.url == "http://127.0.0.1:3999"
    assert (target.auth, target.auth_user, target.auth_secret) == ("basic", "editor", "env:SYNC_PASSWORD")
    assert (target.concurrency, target.timeout) == (4, 5)
    posts, comments = Route.objects.order_by("pk")
    assert (posts.path, posts.fields) == ("/posts", {"userId": "user_id", "title": "title"})
    assert (posts.lookup, posts.trigger) == (["userId", "title"], "every 5 minutes")
    assert (posts.filter, posts.update) == ({"user_id__gt": 10}, "PATCH")
    assert (posts.id_field, posts.items_field, posts.next_field) == ("key", "items", "next")
    assert (posts.missing, posts.key_hours, comments.missing, comments.key_hours) == ("reject", 24, "recreate", 0)
    assert (comments.create_path, comments.enabled, comments.trigger) == ("/posts/{post}/comments", False, "manual")


def test_the_second_time_nothing_changes(write):
    file = write(EXAMPLE)
    configure(file)
    assert [outcome for _, outcome in outcomes(configure(file))] == ["unchanged"] * 3


def test_a_change_touches_what_changed_and_keeps_the_mark(write):
    configure(write(EXAMPLE))
    Route.objects.update(mark="17")
    [target, posts, comments] = configure(write(EXAMPLE.replace('"/posts"', '"/articles"'))).changes
    assert (target.outcome, posts.outcome, comments.outcome) == ("unchanged", "changed", "unchanged")
    assert posts.columns == {"path": ("/posts", "/articles")}
    assert Route.objects.values_list("path", "mark").get(model="news.Post") == ("/articles", "17")


def test_a_route_left_out_is_disabled_and_back_when_it_is_back(write):
    configure(write(EXAMPLE))
    assert outcomes(configure(write(TARGET + POSTS)))[2:] == [("news.Comment", "disabled")]
    assert dict(Route.objects.values_list("model", "enabled")) == {"news.Post": True, "news.Comment": False}
    assert outcomes(configure(write(TARGET + POSTS))) == [(None, "unchanged"), ("news.Post", "unchanged")]
    assert outcomes(configure(write(EXAMPLE)))[2:] == [("news.Comment", "changed")]


def test_a_target_that_is_not_named_is_left_alone(write):
    configure(write(EXAMPLE))
    configure(write('[targets.other]\nurl = "https://other.example"'))
    assert Route.objects.filter(target__name="fakeapi", enabled=True).count() == 2


def test_check_writes_nothing(write):
    report = configure(write(EXAMPLE), check=True)
    assert [outcome for _, outcome in outcomes(report)] == ["created"] * 3
    assert not Target.objects.exists()


def test_a_secret_that_is_not_there_yet_is_a_note(write):
    report = configure(write(TARGET + 'auth = { type = "bearer", secret = "env:SYNC_NO_SUCH_VARIABLE" }'))
    [note] = report.notes
    assert note.startswith("fakeapi: the secret env:SYNC_NO_SUCH_VARIABLE is not there yet.")


def assert_fault(file: Path, path: str, message: str) -> None:
    """The file has the fault, whose message begins so, and nothing is written."""
    assert (path, message) in [(at, text[: len(message)]) for at, text in faults(file)]
    assert not Target.objects.exists()


@pytest.mark.parametrize(
    ("line", "key", "message"),
    [
        ('trigger = "often"', "trigger", "'often' is not a trigger: give 'change', 'manual', or an"),
        ("filter = { user = 1 }", "filter.user", "'user' does not filter news.Post: Cannot resolve keyword "),
        ('filter = { user_id = "a" }', "filter.user_id", "'user_id' does not filter news.Post: Field 'user_id' "),
        ("filter = { user_id__in = 1 }", "filter.user_id__in", "'user_id__in' does not filter news.Post: "),
        ('filter = { comments__name = "a" }', "filter.comments__name", "'comments__name' reads another model; "),
        ("filter = { title = 2024-01-01 }", "filter", "Value must be valid JSON"),
        ('update = "COPY"', "update", '"COPY" is not one of PUT, PATCH, POST'),
        ('missing = "make"', "missing", '"make" is not one of recreate, reject'),
        ("key_hours = -1", "key_hours", "Ensure this value is greater than or equal to 0"),
        ("key_hours = 8761", "key_hours", "Ensure this value is less than or equal to 8760"),
        ("key_hours = 1.5", "key_hours", "Must be a whole number"),
        ("enabled = 1", "enabled", "Must be true or false"),
        ("filter = []", "filter", "Must be a table"),
        ("constants = { userId = 1 }", "constants.userId", "'userId' is among the fields already; leave one of "),
        ('constants = { "a..b" = 1 }', 'constants."a..b"', "'a..b' has an empty part; write nested names as author.id"),
        ('constants = { "body.html" = 1 }', 'constants."body.html"', "'body.html' lies inside 'body', which is sent "),
        ('constants = { a = 1, "a.b" = 1 }', 'constants."a.b"', "'a.b' lies inside 'a', which is sent as a value of "),
        ('values = { titel = { A = "B" } }', "values.titel", "'titel' is not among the remote names in fields; choose"),
        ('values = { title = "B" }', "values.title", "Give the words for its values: "),
        ("values = { title = {} }", "values.title", "Give the words for its values: "),
        ('formats = { titel = "text" }', "formats.titel", "'titel' is not among the remote names in fields; choose "),
        (
            'formats = { title = "day" }',
            "formats.title",
            "'day' is not a format; choose one of: date, time, datetime, ",
        ),
        (
            'formats = { userId = "date" }',
            "formats.userId",
            "'date' is not a format for 'user_id'; choose one of: text",
        ),
        ("formats = { userId = 2 }", "formats.userId", "'2' is not a format; choose one of: text, number, int, 0.0"),
        ('item_path = "/posts/1"', "item_path", "The path of a record has {id} in it once, and no other braces: "),
        ('item_path = "/{id}/{id}"', "item_path", "The path of a record has {id} in it once, and no other braces"),
        ('item_path = "/{post}/{id}"', "item_path", "The path of a record has {id} in it once, and no other braces"),
        ('own_id = "title"', "own_id", "'title' can't be the id of a record, which is unique and never null; choose "),
        (
            'own_id = "slug"',
            "own_id",
            "'slug' can't be the id of a record, which is unique and never null; choose one ",
        ),
        ('own_id = "id"\ncreate_path = "/{title}"', "create_path", "A record with an id of ours is created at its own"),
        ('send_id = true\nid = "title"', "send_id", "The id is sent as 'title', which 'title' of the fields or "),
        ('send_id = true\nid = "title.id"', "send_id", "The id is sent as 'title.id', which 'title' of the fields or "),
        ('send_id = true\nconstants = { "id.x" = 1 }', "send_id", "The id is sent as 'id', which 'id.x' of the fields"),
        ('wrap = "data."', "wrap", "'data.' has an empty part; write nested places as meta.total"),
        ('record = "data. x"', "record", "'data. x' has an empty part; write nested places as meta.total"),
        ('ok = "."', "ok", "'.' has an empty part; write nested places as meta.total"),
        ('error = "a..b"', "error", "'a..b' has an empty part; write nested places as meta.total"),
        ('id = ".id"', "id", "'.id' has an empty part; write nested places as meta.total"),
        ('items = "a."', "items", "'a.' has an empty part; write nested places as meta.total"),
        ('items = "a"\nnext = ".b"', "next", "'.b' has an empty part; write nested places as meta.total"),
        ('items = "a"\ntotal = "b."', "total", "'b.' has an empty part; write nested places as meta.total"),
        ('next = "meta.next"', "next", "An answer that has 'meta.next' has its records under a name too: give 'items'"),
        ('total = "meta.all"', "total", "An answer that has 'meta.all' has its records under a name too: give 'items'"),
        ('paging = "pages"', "paging", '"pages" is not one of link, header, cursor, page, offset'),
        ('paging = "cursor"', "next", "Paging by cursor needs the place of the cursor in the answer: meta.next"),
        ('paging = "page"\nitems = "a"\nnext = "b"', "next", "Paging by 'page' does not use it; leave it out, or set "),
        ('paging = "offset"\nitems = "a"\nnext = "b"', "next", "Paging by 'offset' does not use it; leave it out, or"),
        ('paging = "header"\nitems = "a"\nnext = "b"', "next", "Paging by 'header' does not use it; leave it out, or"),
        ('page_name = "p"', "page_name", "Paging by 'link' does not use it; leave it out, or set paging to 'header'"),
        ('paging = "header"\npage_name = "a b"', "page_name", "'a b' is not the name of a header; one is Next-Page"),
        ("first_page = 0", "first_page", "Only paging by 'page' counts pages; leave it out, or set paging to 'page'"),
        ('first_page = 2\npaging = "page"', "first_page", "Ensure this value is less than or equal to 1"),
        ("query = { a = [1] }", "query.a", "Give a text, a number, true or false"),
        ("query = { title = 1 }", "query.title", "'title' is what the engine sends for the lookup; leave it out"),
        ('paging = "page"\nquery = { page = 1 }', "query.page", "'page' is what the engine sends for the page; leave"),
        (
            'paging = "offset"\npage_name = "skip"\nquery = { skip = 1 }',
            "query.skip",
            "'skip' is what the engine sends for the page; leave it out",
        ),
        ('create_path = "/u/{user}"', "create_path", "'{user}' is not a local field of this route; choose one"),
        ('create_path = "/u/{title!r:>5}"', "create_path", "'{title!r:>5}' is not a local field of this "),
        ('create_path = "/u/{title"', "create_path", "The braces in '/u/{title' do not match"),
    ],
)
def test_a_fault_of_a_route_is_reported_with_the_path_of_its_key_and_its_cure(write, line, key, message):
    text = EXAMPLE.replace('trigger = "change"', line)
    assert_fault(write(text), f"targets.fakeapi.routes[0].{key}", message)


@pytest.mark.parametrize(
    ("line", "key", "message"),
    [
        ("concurrency = 65", "concurrency", "Ensure this value is less than "),
        ("concurrency = true", "concurrency", "Must be a whole number"),
        ('kind = "soap"', "kind", '"soap" is not one of peer, rest'),
        ("port = 1", "port", "Unknown key; it may be one of: title, kind"),
        ('"[key]" = 1', '"[key]"', "Unknown key; "),
        ('auth = { type = "x" }', "auth.type", '"x" is not one of none, '),
        ('auth = "none"', "auth", "Must be a table"),
        ('auth = { type = "basic", user = "u" }', "auth.secret", "Sign-in 'basic' "),
        ('auth = { type = "none", user = "u" }', "auth.user", "Sign-in 'none' does "),
        ('auth = { type = "bearer", secret = "abc" }', "auth.secret", "Give where "),
        ("auth = {}", "auth.type", "This key is required"),
        (f'auth = {{ {JWT}, url = "token" }}', "auth.url", "A token path begins with '/'"),
        (f'auth = {{ {JWT}, url = "//evil.example/t" }}', "auth.url", "A token path begins with '/', not '//'"),
        (f'auth = {{ {OAUTH2}, url = "http://a.example/t" }}', "auth.url", "Give an https address, for the secret"),
        (f'auth = {{ {OAUTH2}, url = "https://u:p@a.example" }}', "auth.url", "Take user name and password out of"),
        (f'auth = {{ {OAUTH2}, url = "https://169.254.169.254" }}', "auth.url", "This is at 169.254.169.254, an addr"),
        (f'auth = {{ {OAUTH2}, url = "https:/a.example/t" }}', "auth.url", "A token path begins with '/', not '//'"),
        (f"auth = {{ {OAUTH2} }}", "auth.url", "Sign-in 'oauth2' needs it"),
        (f'auth = {{ {OAUTH2}, url = "/t", names = "a, b" }}', "auth.names", "Sign-in 'oauth2' does not use it"),
        (f'auth = {{ {OAUTH2}, url = "/t", token = "a..b" }}', "auth.token", "Names with dots between them"),
        (f'auth = {{ {OAUTH2}, url = "/t", token = "a b" }}', "auth.token", "Names with dots between them"),
        (f'auth = {{ {JWT}, url = "/t", scope = "a" }}', "auth.scope", "Sign-in 'jwt' does not use it"),
        (f'auth = {{ {JWT}, url = "/t", names = "a" }}', "auth.names", "Two names with a comma between them"),
        (f'auth = {{ {JWT}, url = "/t", names = "a, b, c" }}', "auth.names", "Two names with a comma between them"),
        ('auth = { type = "none", token = "a" }', "auth.token", "Sign-in 'none' does not use it"),
        ("headers = 1", "headers", "Must be a table"),
        ('headers = { "a b" = "c" }', 'headers."a b"', "'a b' is not a header's name: use letters, digits and '-'"),
        ('headers = { "" = "c" }', 'headers.""', "'' is not a header's name"),
        ('headers = { "a:" = "c" }', 'headers."a:"', "'a:' is not a header's name"),
        ('headers = { "ä" = "c" }', 'headers."\\u00e4"', "'ä' is not a header's name"),
        ("headers = { A = 5 }", "headers.A", "Give 'A' a text of printable ASCII characters"),
        ("headers = { A = [] }", "headers.A", "Give 'A' a text of printable ASCII characters"),
        ('headers = { A = "a\\nB: c" }', "headers.A", "Give 'A' a text of printable ASCII characters"),
        ('headers = { A = "ä" }', "headers.A", "Give 'A' a text of printable ASCII characters"),
        ('headers = { A = " a" }', "headers.A", "Give 'A' a text of printable ASCII characters"),
        ('headers = { A = "a", a = "b" }', "headers.A", "'A' is given twice: the case of a header's name does not"),
        ('headers = { Content-Type = "text/xml" }', "headers.Content-Type", "Bodies are sent as JSON; give a type of"),
        ("query = 1", "query", "Must be a table"),
        ('query = { "" = 1 }', 'query.""', "Give the parameter a name of printable characters"),
        ('query = { "a\\u0000" = 1 }', 'query."a\\u0000"', "Give the parameter a name of printable characters"),
        ('query = { "a\\n" = 1 }', 'query."a\\n"', "Give the parameter a name of printable characters"),
        ("query = { a = [1] }", "query.a", "Give 'a' a text, a number, true or false"),
        ("query = { a = {} }", "query.a", "Give 'a' a text, a number, true or false"),
        ("query = { a = nan }", "query.a", "Give 'a' a text, a number, true or false"),
        ('query = { a = "b\\u0000" }', "query.a", "Give 'a' a text without line breaks and other control"),
        ('query = { _method = "DELETE" }', "query._method", "'_method' would replace the method of every request"),
        ('query = { api_key = "x" }', "query.api_key", "'api_key' looks like a secret, which everybody who"),
        ('query = { key = "x" }', "query.key", "'key' looks like a secret, which everybody who"),
    ],
)
def test_a_fault_of_a_target_is_reported_with_the_path_of_its_key_and_its_cure(write, line, key, message):
    text = EXAMPLE.replace("[targets.fakeapi]", f"[targets.fakeapi]\n{line}")
    assert_fault(write(text), f"targets.fakeapi.{key}", message)


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "authorization", "Cookie", "Set-Cookie", "Host", "Content-Length", "Content-Encoding"),
        *("Transfer-Encoding", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Expect", "Range"),
        *("Idempotency-Key", "If-Match", "If-None-Match", "If-Modified-Since", "Proxy-Authorization"),
    ],
)
def test_a_header_that_the_engine_sets_itself_is_refused(write, name):
    text = EXAMPLE.replace("[targets.fakeapi]", f'[targets.fakeapi]\nheaders = {{ {name} = "a" }}')
    message = f"The engine sets '{name}' itself where it is needed; leave it out"
    assert_fault(write(text), f"targets.fakeapi.headers.{name}", message)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"])
def test_a_header_that_replaces_the_method_is_refused(write, name):
    text = EXAMPLE.replace("[targets.fakeapi]", f'[targets.fakeapi]\nheaders = {{ {name} = "DELETE" }}')
    message = f"'{name}' would replace the method of every request; leave it out"
    assert_fault(write(text), f"targets.fakeapi.headers.{name}", message)


@pytest.mark.parametrize("name", ["X-Api-Key", "Api-Key", "X-Auth-Token", "X-Secret", "Ocp-Apim-Subscription-Key"])
def test_a_header_that_holds_a_secret_is_refused(write, name):
    text = EXAMPLE.replace("[targets.fakeapi]", f'[targets.fakeapi]\nheaders = {{ {name} = "a" }}')
    assert_fault(write(text), f"targets.fakeapi.headers.{name}", f"'{name}' looks like a secret, which everybody")


def test_the_header_of_the_sign_in_is_not_given_again(write):
    auth = 'auth = { type = "header", header = "X-Shop", secret = "env:SYNC_S" }'
    text = EXAMPLE.replace("[targets.fakeapi]", f'[targets.fakeapi]\n{auth}\nheaders = {{ x-shop = "a" }}')
    assert_fault(write(text), "targets.fakeapi.headers.x-shop", "The sign-in sends 'x-shop'; leave it out here")


def test_a_sign_in_and_what_goes_with_every_request(write):
    auth = f'auth = {{ {OAUTH2}, url = "https://login.example/t", token = "data.access_token", scope = "a b" }}'
    headers, query = '{ Accept = "application/vnd.api+json" }', '{ api-version = "2026-01-01", v = 2, all = true }'
    configure(write(f"{TARGET}{auth}\nheaders = {headers}\nquery = {query}"))
    target = Target.objects.get()
    assert (target.auth, target.auth_url) == ("oauth2", "https://login.example/t")
    assert (target.auth_token, target.auth_scope) == ("data.access_token", "a b")
    assert target.headers == {"Accept": "application/vnd.api+json"}
    assert target.query == {"api-version": "2026-01-01", "v": 2, "all": True}
    configure(write(TARGET.replace("\n", f'\nauth = {{ {JWT}, url = "/t", names = "email, password" }}\n', 1)))
    target.refresh_from_db()
    assert (target.auth, target.auth_names, target.headers, target.query) == ("jwt", "email, password", {}, {})


@pytest.mark.parametrize("column", ["headers", "query"])
def test_the_form_of_a_target_refuses_the_same_and_takes_an_empty_text_for_nothing(column):
    form = forms.modelform_factory(Target, form=TargetForm, fields=["name", "kind", "url", "headers", "query"])
    rest = {"name": "fakeapi", "kind": "rest", "url": "http://127.0.0.1:3999"}
    assert form({**rest, column: ""}).save(commit=False).headers == {}
    for refused in ("[1]", '{"_method": "DELETE"}', '{"a": null}', '{"X-Api-Key": "1"}'):
        assert set(form({**rest, column: refused}).errors) == {column}


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ('"title"', '"titel"', "[0].fields.title", "news.Post has no field 'titel' that may travel; choose one of: "),
        ("news.Post", "news.Psot", "[0].model", "news.Psot is not a model that may travel; choose one of: "),
        ("news.Comment", "news.Post", "[1].model", "fakeapi already has a route for news.Post; one is enough"),
        ('"/posts"', '"posts"', "[0].path", "A path begins with '/' and has no '?', '#' or white space"),
        ("path = ", "pfad = ", "[0].pfad", "Unknown key; it may be one of: model, path, fields, "),
        ('path = "/posts"', "", "[0].path", "This key is required"),
        ('"/posts"', "5", "[0].path", "Must be text"),
        ('"title"]', '"titel"]', "[0].lookup[1]", "'titel' is not among the remote names in fields; choose one"),
        ("body =", '"title." =', '[0].fields."title."', "'title.' has an empty part; write nested names as author.id"),
        ("body =", '"title.a" =', '[0].fields."title.a"', "'title.a' lies inside 'title', which is sent as a value "),
        (
            *('lookup = ["userId", "title"]', 'lookup = []\nexisting = "overwrite"', "[0].existing"),
            "Without a lookup no record can be found that is there already; give 'lookup', or leave it out",
        ),
        (
            *(POSTS, "", "[0].fields.postId"),
            "'post' is sent as the remote id of its news.Post, which has no route on this target. Add ",
        ),
    ],
)
def test_a_fault_of_one_of_the_routes_is_reported_with_the_path_of_its_key_and_its_cure(write, old, new, key, message):
    assert old in EXAMPLE
    assert_fault(write(EXAMPLE.replace(old, new, 1)), f"targets.fakeapi.routes{key}", message)


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ("fakeapi", "'fake api'", 'targets."fake api"', "Enter a valid"),
        ("http://", "ftp://", "targets.fakeapi.url", "Give an address that begins with http:// or https:// and a host"),
        (TARGET, f"x = 1\n{TARGET}", "x", "Unknown key; it may be one of: targets"),
    ],
)
def test_a_fault_anywhere_is_reported_with_the_path_of_its_key_and_its_cure(write, old, new, path, message):
    assert old in EXAMPLE
    assert_fault(write(EXAMPLE.replace(old, new, 1)), path, message)


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("", "targets", "The file names no target; one begins with [targets.NAME]"),
        ("targets = 1", "targets", "Must be a table"),
        ("[targets]\nfakeapi = 1", "targets.fakeapi", "Must be a table"),
        (TARGET + "routes = [1]", "targets.fakeapi.routes[0]", "Must be a table"),
        ("a = 1\nb = = 2", "", "This is not TOML: Invalid value (at line 2, column 5)"),
        ("a = 1\nb = [", "", "This is not TOML: Invalid value (at end of document)"),
        (f"a = 1\nb = {'9' * 5000}", "", "This is not TOML: Exceeds the limit"),
        (f"a = 1\nb = {'[' * 5000}", "", "This is not TOML: maximum recursion depth exceeded"),
        (TARGET + 'title = "a\\u0000b"', "targets.fakeapi.title", "Must not contain a NUL character"),
        ('[targets."a\\u0000b"]\nurl = "http://a.example"', 'targets."a\\u0000b"', "Must not contain a NUL character"),
    ],
)
def test_a_file_of_another_shape_is_refused(write, text, path, message):
    [(at, said)] = faults(write(text))
    assert (at, said[: len(message)]) == (path, message)


def test_a_file_that_can_not_be_read_is_refused(tmp_path):
    (tmp_path / "latin").write_bytes(b"# \xe9")
    assert faults(tmp_path / "latin") == [("", "The file is not UTF-8 text")]
    assert faults(tmp_path / "none") == [("", "The file can't be read: No such file or directory")]


def test_all_faults_are_reported_at_once_those_of_types_and_those_of_values(write):
    text = EXAMPLE.replace('"/posts"', '"posts"').replace('"email"', '"mail"').replace("http:", "ftp:")
    text = text.replace('trigger = "change"', "trigger = 5") + 'extra = "x"'
    assert [path for path, _ in faults(write(text))] == [
        "targets.fakeapi.routes[0].path",
        "targets.fakeapi.routes[0].trigger",
        "targets.fakeapi.routes[1].extra",
        "targets.fakeapi.routes[1].fields.email",
        "targets.fakeapi.routes[1].lookup[1]",
        "targets.fakeapi.url",
    ]


def test_an_item_of_the_wrong_type_leaves_the_others_their_numbers(write):
    found = faults(write(TARGET + 'routes = [1, { model = "news.Post", path = "posts", fields = { t = "title" } }]'))
    assert [path for path, _ in found] == ["targets.fakeapi.routes[0]", "targets.fakeapi.routes[1].path"]


def test_a_key_of_the_wrong_type_is_reported_once(write):
    text = EXAMPLE.replace('model = "news.Post"', "model = 5").replace('url = "http://127.0.0.1:3999"', "url = []")
    assert [(path, message) for path, message in faults(write(text)) if "postId" not in path] == [
        ("targets.fakeapi.routes[0].model", "Must be text"),
        ("targets.fakeapi.url", "Must be text"),
    ]


@pytest.mark.parametrize("row", [Target, Route])
def test_every_column_that_the_admin_sets_has_a_key_in_the_file(row):
    keys, columns = set[str](), set[str]()
    for kind in kinds().values():
        table = kind.configuration.table
        keys |= {*schema.keys_at(table, []), *schema.keys_at(table, ["routes", 0])}
        columns |= {*schema.columns_of_keys({"kind": kind.name}).values()}
    assert {column for column in columns_of(row()) if column not in keys | columns} == set()


def test_a_route_left_out_does_not_serve_its_children(write):
    configure(write(EXAMPLE))
    [(path, message)] = faults(write(TARGET + COMMENTS))
    assert (path, "news.Post, which has no route" in message) == ("targets.fakeapi.routes[0].fields.postId", True)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("fields", ["title"]),
        ("fields", {"title": ["title"]}),
        ("lookup", "title"),
        ("lookup", [["x"]]),
        ("filter", [1]),
        ("constants", [1]),
        ("values", [1]),
        ("values", {"title": [1]}),
        ("formats", [1]),
        ("formats", {"title": ["text"]}),
        ("query", [1]),
        ("query", {"a": None}),
    ],
)
def test_the_form_refuses_json_of_another_shape(column, value):
    assert column in errors_of(column, value)


def errors_of(column, value):
    """The columns at fault of a route that has `value` in `column`, and is right else."""
    target = Target.objects.create(name="fakeapi", url="http://127.0.0.1:3999")
    route = Route(target=target, model="news.Post", path="/posts", fields={"title": "title"}, create_path="/{title}")
    setattr(route, column, value)
    with pytest.raises(ValidationError) as caught:
        route.full_clean()
    return caught.value.error_dict


@pytest.mark.parametrize(
    "wanted",
    [
        {"title__regex": "("},
        {"title__iregex": "["},
        {"title__regex": 5},
        {"user_id__range": [1]},
        {"user_id__range": [1, 2, 3]},
        {"title__isnull": 1},
        {"user_id__in": [[1]]},
        {"_negated": True},
        {"_connector": "OR"},
    ],
)
def test_a_filter_that_breaks_when_it_is_run_is_refused(wanted):
    assert "filter" in errors_of("filter", wanted)
    Post.objects.create(title="A", body="B")
    Target.objects.all().delete()
    assert "filter" in errors_of("filter", wanted)


def test_a_filter_that_can_be_run_is_taken():
    target = Target.objects.create(name="fakeapi", url="http://127.0.0.1:3999")
    wanted = {"title__regex": "^[A-Z]", "user_id__range": [1, 9], "user_id__in": [], "title__isnull": False}
    Route(target=target, model="news.Post", path="/posts", fields={"title": "title"}, filter=wanted).full_clean()


DEEP: list[Any] = []
for _ in range(400):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("fields", {"ti\0tle": "title"}),
        ("fields", {"\ud800": "title"}),
        ("fields", {"title": "\udfff"}),
        ("lookup", ["\0"]),
        ("lookup", DEEP),
        ("filter", {"title": "\0"}),
        ("filter", {"title__in": ["\ud800"]}),
        ("filter", {"user_id__gt": float("nan")}),
        ("filter", {"title__in": DEEP}),
        ("constants", {"a": "\0"}),
        ("values", {"title": {"a": "\ud800"}}),
        ("formats", {"title": "\0"}),
        ("query", {"a": float("nan")}),
    ],
    ids=range(13),
)
def test_json_that_no_database_can_keep_is_refused(column, value):
    assert "It holds a NUL" in str(errors_of(column, value)[column])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"status": {"SHIPED": "new"}},
            "'status' never has the value 'SHIPED'; choose one of: PENDING, SHIPPED, DELIVERED",
        ),
        ({"status": {"null": "new"}}, "'status' never has the value 'null'; choose one of: PENDING, "),
    ],
)
def test_another_word_for_a_value_that_the_field_never_has_is_refused(values, message):
    target = Target.objects.create(name="fakeapi", url="http://127.0.0.1:3999")
    route = Route(target=target, model="orders.Order", path="/orders", fields={"status": "status"}, values=values)
    with pytest.raises(ValidationError) as caught:
        route.full_clean()
    [refused] = caught.value.message_dict["values"]
    assert refused.startswith(message)


@pytest.mark.parametrize(
    "columns",
    [
        {"own_id": "id", "fields": {"id": "id", "n": "quantity"}, "send_id": True, "update": "PATCH"},
        {"own_id": "id", "existing": "overwrite"},
        {"fields": {"data.n": "quantity", "data.s": "status"}, "constants": {"data.type": "orders", "kind": 1}},
        {"values": {"status": {"PENDING": None}}, "formats": {"n": "text"}},
        {"item_path": "/orders/{id}.json", "id_field": "data.id", "wrap": "data", "record": "data.order", "ok": "ok"},
        {"paging": "link", "items_field": "data", "next_field": "links.next", "total": "meta.total"},
        {"paging": "header", "page_name": "X-Next"},
        {"paging": "header"},
        {"paging": "cursor", "items_field": "data", "next_field": "meta.cursor", "page_name": "after"},
        {"paging": "page", "first_page": 0, "page_name": "p", "query": {"per_page": 100, "page": 1, "deep": True}},
        {"paging": "offset", "query": {"limit": "100"}},
    ],
    ids=str,
)
def test_what_other_apis_need_is_taken(columns):
    target = Target.objects.create(name="fakeapi", url="http://127.0.0.1:3999")
    fields = {"n": "quantity", "status": "status"}
    Route(**{"target": target, "model": "orders.Order", "path": "/orders", "fields": fields, **columns}).full_clean()


@pytest.mark.parametrize("path", ["//evil.example/t", "/\t/evil.example/t", " /token", "/to ken", "token", "/a\n"])
def test_a_token_path_leads_to_no_other_host(path):
    target = Target(name="fakeapi", url="https://api.example.com", auth="jwt", auth_user="sync", auth_url=path)
    target.auth_secret = "env:SYNC_PASSWORD"
    with pytest.raises(ValidationError, match="A token path begins with '/', not '//'"):
        target.full_clean()
    target.auth_url = "/token//new"
    target.full_clean()


def test_the_form_takes_a_child_only_after_its_parent():
    target = Target.objects.create(name="fakeapi", url="http://127.0.0.1:3999")
    comments = Route(target=target, model="news.Comment", path="/comments", fields={"postId": "post"})
    with pytest.raises(ValidationError, match=r"Add a route for news\.Post"):
        comments.full_clean()
    Route.objects.create(target=target, model="news.Post", path="/posts", fields={"title": "title"})
    comments.full_clean()


def documented() -> list[str]:
    page = Path(__file__).parents[2] / "docs" / "configuring.md"
    return [block for block in re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL) if "[targets." in block]


@pytest.mark.parametrize("text", documented())
def test_the_documented_examples_are_taken(write, text):
    User.objects.create_user("warehouse")  # of the example of a peer
    assert {change.outcome for change in configure(write(text)).changes} == {"created"}


@pytest.mark.parametrize(
    ("line", "lookup"),
    [("", ["userId", "title"]), ("lookup = []\n", []), ('lookup = ["title"]\n', ["title"])],
)
def test_a_route_without_a_lookup_takes_the_natural_key_of_its_model(write, line, lookup):
    configure(write(EXAMPLE.replace('lookup = ["userId", "title"]\n', line)))
    assert Route.objects.get(model="news.Post").lookup == lookup


def test_a_natural_key_is_a_lookup_only_if_all_of_it_is_sent(write):
    without = EXAMPLE.replace('lookup = ["userId", "title"]\n', "").replace('userId = "user_id", ', "")
    configure(write(without))
    assert Route.objects.get(model="news.Post").lookup == []
