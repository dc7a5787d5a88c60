import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from backoffice.accounts.models import User
from content.news.models import Post
from syncer.configure import Refused, Report, configure
from syncer.models import Route, Target

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


@pytest.fixture
def write(tmp_path):
    def write(text):
        file = tmp_path / "fakeapi.toml"
        file.write_text(textwrap.dedent(text))
        return file

    return write


def outcomes(report: Report) -> list[tuple[str | None, str]]:
    return [(change.route, change.outcome) for change in report.changes]


def faults(file: Path) -> list[tuple[int, str]]:
    with pytest.raises(Refused) as caught:
        configure(file)
    return [(fault.line, fault.message) for fault in caught.value.faults]


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
        allow_private = true
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
    assert (outcomes(report), report.notes) == (
        [(None, "created"), ("news.Post", "created"), ("news.Comment", "created")],
        [],
    )
    target = Target.objects.values(
        "title", "kind", "url", "enabled", "auth", "auth_user", "auth_secret", "concurrency", "timeout", "allow_private"
    ).get(name="fakeapi")
    assert list(target.values()) == [
        *("Fake API", "rest", "http://127.0.0.1:3999", True),
        *("basic", "editor", "env:SYNC_PASSWORD", 4, 5, True),
    ]
    posts, comments = Route.objects.order_by("pk")
    assert (posts.path, posts.fields, posts.lookup, posts.trigger, posts.filter, posts.update) == (
        *("/posts", {"userId": "user_id", "title": "title"}, ["userId", "title"]),
        *("every 5 minutes", {"user_id__gt": 10}, "PATCH"),
    )
    assert (posts.id_field, posts.items_field, posts.next_field) == ("key", "items", "next")
    assert (posts.missing, posts.key_hours, comments.missing, comments.key_hours) == ("reject", 24, "recreate", 0)
    assert (comments.create_path, comments.enabled, comments.trigger) == ("/posts/{post}/comments", False, "manual")


def test_the_second_time_nothing_changes(write):
    file = write(EXAMPLE)
    configure(file)
    assert outcomes(configure(file)) == [
        (None, "unchanged"),
        ("news.Post", "unchanged"),
        ("news.Comment", "unchanged"),
    ]


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
    assert list(Route.objects.order_by("pk").values_list("model", "enabled")) == [
        ("news.Post", True),
        ("news.Comment", False),
    ]
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


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('title = "title"', 'title = "titel"', 6, "news.Post has no field 'titel' that may travel; it may be one of: "),
        ("news.Post", "news.Psot", 4, "news.Psot is not a model that may travel; it may be one of: "),
        ("news.Comment", "news.Post", 10, "news.Post has a route to fakeapi already; one is enough"),
        (
            'trigger = "change"',
            'trigger = "often"',
            8,
            "trigger: 'often' is no trigger: 'change', 'manual', or such as ",
        ),
        ('path = "/posts"', 'path = "posts"', 5, "path: A path begins with '/' and has no '?', '#' or white space"),
        ('path = "/posts"', 'pfad = "/posts"', 5, "'pfad' is not known here; it may be one of: model, path, fields, "),
        ('path = "/posts"', "", 3, "'path' is missing; it must be given"),
        ('path = "/posts"', "path = 5", 5, "'path' must be text"),
        (
            '"userId", "title"]',
            '"userId", "titel"]',
            7,
            "'titel' is not among the remote names in fields; it may be one",
        ),
        ('trigger = "change"', "filter = { user = 1 }", 8, "'user' does not filter news.Post: Cannot resolve keyword "),
        (
            'trigger = "change"',
            'filter = { user_id = "a" }',
            8,
            "'user_id' does not filter news.Post: Field 'user_id' ",
        ),
        ('trigger = "change"', "filter = { user_id__in = 1 }", 8, "'user_id__in' does not filter news.Post: "),
        ('trigger = "change"', 'filter = { comments__name = "a" }', 8, "'comments__name' reads another model; "),
        ('trigger = "change"', "filter = { title = 2024-01-01 }", 8, "filter: Value must be valid JSON"),
        ('trigger = "change"', 'update = "POST"', 8, "'POST' is no update; it may be one of: PUT, PATCH"),
        ('trigger = "change"', 'missing = "make"', 8, "'make' is no missing; it may be one of: recreate, reject"),
        ('trigger = "change"', "key_hours = -1", 8, "key_hours: Ensure this value is greater than or equal to 0"),
        ('trigger = "change"', "key_hours = 8761", 8, "key_hours: Ensure this value is less than or equal to 8760"),
        ('trigger = "change"', "key_hours = 1.5", 8, "'key_hours' must be a whole number"),
        ('trigger = "change"', 'next = "next"', 8, "A list that keeps a cursor keeps its records under a name: give "),
        (
            'trigger = "change"',
            'create_path = "/u/{user}"',
            8,
            "'{user}' is not a local field of this route; it may be ",
        ),
        ('trigger = "change"', 'create_path = "/u/{title!r:>5}"', 8, "'{title!r:>5}' is not a local field of this "),
        ('trigger = "change"', 'create_path = "/u/{title"', 8, "The braces in '/u/{title' do not match"),
        ("[targets.fakeapi]", "[targets.'fake api']", 1, "fake api: Enter a valid"),
        ("http://127", "ftp://127", 2, "url: Give an address that begins with http:// or https:// and a host"),
        ("[targets.fakeapi]", "[targets.fakeapi]\nconcurrency = 65", 2, "concurrency: Ensure this value is less than "),
        ("[targets.fakeapi]", "[targets.fakeapi]\nconcurrency = true", 2, "'concurrency' must be a whole number"),
        ("[targets.fakeapi]", '[targets.fakeapi]\nkind = "soap"', 2, "'soap' is no kind; it may be one of: peer"),
        (
            "[targets.fakeapi]",
            "[targets.fakeapi]\nport = 1",
            2,
            "'port' is not known here; it may be one of: title, kind",
        ),
        (
            "[targets.fakeapi]",
            "x = 1\n[targets.fakeapi]",
            1,
            "'x' is not known here; a target begins with [targets.NAME]",
        ),
        (
            "[targets.fakeapi]",
            '[targets.fakeapi]\nauth = { type = "x" }',
            2,
            "'x' is no type; it may be one of: none, ",
        ),
        ("[targets.fakeapi]", '[targets.fakeapi]\nauth = "none"', 2, "'auth' must be a table"),
        (
            "[targets.fakeapi]",
            '[targets.fakeapi]\nauth = { type = "basic", user = "u" }',
            2,
            "secret: Sign-in 'basic' ",
        ),
        (
            "[targets.fakeapi]",
            '[targets.fakeapi]\nauth = { type = "none", user = "u" }',
            2,
            "user: Sign-in 'none' does ",
        ),
        (
            "[targets.fakeapi]",
            '[targets.fakeapi]\nauth = { type = "bearer", secret = "abc" }',
            2,
            "secret: Give where ",
        ),
        ("[targets.fakeapi]", "[targets.fakeapi]\nauth = {}", 2, "'type' is missing; it must be given"),
        (
            "[targets.fakeapi]",
            '[targets.fakeapi]\nauth = { type = "jwt", user = "u", secret = "env:SYNC_S", url = "token" }',
            2,
            "url: A token path begins with '/'",
        ),
        (
            "[targets.fakeapi]",
            '[targets.fakeapi]\nauth = { type = "jwt", user = "u", secret = "env:SYNC_S", url = "//evil.example/t" }',
            2,
            "url: A token path begins with '/', not '//'",
        ),
        (POSTS, "", 6, "'post' is sent as the remote id of its news.Post, which has no route on this target. Add "),
    ],
)
def test_a_fault_is_told_with_its_line_and_its_cure(write, old, new, line, message):
    assert old in EXAMPLE
    found = faults(write(EXAMPLE.replace(old, new, 1)))
    assert (line, message) in [(at, text[: len(message)]) for at, text in found]
    assert not Target.objects.exists()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "The file names no target; one begins with [targets.NAME]"),
        ("targets = 1", 1, "'targets' must be a table"),
        ("[targets]\nfakeapi = 1", 2, "'fakeapi' must be a table"),
        (TARGET + "routes = [1]", 3, "item 1 must be a table"),
        ("a = 1\nb = = 2", 2, "This is not TOML: "),
        ("a = 1\nb = [", 2, "This is not TOML: "),
        (f"a = 1\nb = {'9' * 5000}", 2, "This is not TOML: "),
        (f"a = 1\nb = {'[' * 5000}", 2, "This is not TOML: "),
        (TARGET + 'title = "a\\u0000b"', 3, "'title' has a NUL"),
    ],
)
def test_a_file_of_another_shape_is_refused(write, text, line, message):
    found = faults(write(text))
    assert [(at, told[: len(message)]) for at, told in found][:1] == [(line, message)]


def test_a_file_that_can_not_be_read_is_refused(tmp_path):
    (tmp_path / "latin").write_bytes(b"# \xe9")
    assert faults(tmp_path / "latin") == [(1, "The file is not UTF-8 text")]
    assert faults(tmp_path / "none") == [(1, "The file can't be read: No such file or directory")]


def test_all_faults_are_told_at_once(write):
    text = EXAMPLE.replace('"/posts"', '"posts"').replace('"email"', '"mail"').replace("http:", "ftp:")
    assert [line for line, _ in faults(write(text))] == [2, 5, 12, 13]


def test_a_route_left_out_does_not_serve_its_children(write):
    configure(write(EXAMPLE))
    [(line, message)] = faults(write(TARGET + COMMENTS))
    assert (line, "news.Post, which has no route" in message) == (6, True)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("fields", ["title"]),
        ("fields", {"title": ["title"]}),
        ("lookup", "title"),
        ("lookup", [["x"]]),
        ("filter", [1]),
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
        pytest.param({"user_id__in": [10**23]}, marks=pytest.mark.sqlite),  # PostgreSQL can compare it
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
    ],
    ids=range(9),
)
def test_json_that_no_database_can_keep_is_refused(column, value):
    assert "It has a NUL" in str(errors_of(column, value)[column])


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
