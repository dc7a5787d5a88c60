"""Each act on targets, routes, runs and objects there leaves exactly one entry, by whichever entry point."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.kit.audit.models import Entry
from content.news.models import Post
from syncer.models import Route, Run, Target
from syncer.recovery.deletes import review
from tests.content.pages import administrator, form_of

pytestmark = pytest.mark.django_db(transaction=True)
TOML = """
[targets.{name}]
url = "https://{host}"
[[targets.{name}.routes]]
model = "news.Post"
path = "/articles"
fields = {{ title = "title", body = "body" }}
existing = "create"
"""


@pytest.fixture
def here():
    """A target that no test sends to."""
    target = Target.objects.create(name="here", url="https://api.example.com", enabled=False)
    Route.objects.create(target=target, model="news.Post", path="/posts", fields={"title": "title"})
    return target


def post(address, **data):
    assert administrator().post(address, data).status_code == 302


def act_on(target, page):
    post(reverse(f"admin:syncer_target_{page}", args=[target.pk]))


def api(path, **data):
    assert administrator().post(f"/api/sync/{path}", data, "application/json").status_code < 300


def command(name, *words):
    try:
        call_command(name, *words, stdout=StringIO())
    except SystemExit as error:
        assert error.code == 1  # noqa: PT017 - something is left undone


def configure(tmp_path, name, host):
    path = tmp_path / "targets.toml"
    path.write_text(TOML.format(name=name, host=host))
    command("sync_configure", str(path))


def form_change(target, path):
    address = reverse("admin:syncer_target_change", args=[target.pk])
    post(address, **form_of(administrator().get(address), "target_form") | {"timeout": "7"})


def run_of(target):
    return Run.objects.create(target=target, trigger=Run.Trigger.MANUAL)


def object_of(target):
    return Post.objects.create(title="Secret title", body="B").pk


ACTS = {
    "form": (form_change, ["target.changed"]),
    "pause": (lambda target, _: act_on(target, "pause"), ["target.changed"]),
    "resume": (lambda target, _: act_on(target, "resume"), ["target.changed"]),
    "delete": (
        lambda target, _: post(reverse("admin:syncer_target_delete", args=[target.pk]), post="yes"),
        ["target.deleted"],
    ),
    "TOML, changed": (
        lambda target, path: configure(path, "here", "other.example.com"),
        ["route.changed", "target.changed"],
    ),
    "TOML, new": (lambda target, path: configure(path, "new", "new.example.com"), ["route.created", "target.created"]),
    "sync now": (lambda target, _: act_on(target, "sync"), ["run.requested"]),
    "sync, command": (lambda target, _: command("sync_now", "here"), ["run.requested"]),
    "cancel, page": (
        lambda target, _: post(reverse("admin:syncer_run_cancel", args=[run_of(target).pk])),
        ["run.cancelled"],
    ),
    "cancel, API": (lambda target, _: api(f"runs/{run_of(target).pk}/cancel/"), ["run.cancelled"]),
    "cancel, command": (
        lambda target, _: (run_of(target), command("sync_cancel", "here", "--by", "administrator")),
        ["run.cancelled"],
    ),
    "hold, API": (
        lambda target, _: api("holds/hold/", model="news.Post", ids=[object_of(target)], reason="Not yet"),
        ["decision.made"],
    ),
    "hold, command": (
        lambda target, _: command("sync_hold", f"news.Post:{object_of(target)}", "--reason=Soon", "--by=administrator"),
        ["decision.made"],
    ),
}


@pytest.mark.parametrize(("act", "actions"), ACTS.values(), ids=ACTS)
def test_each_act_leaves_one_entry(here, tmp_path, act, actions):
    administrator()
    before = {*Entry.objects.values_list("pk", flat=True)}
    act(here, tmp_path)
    made = Entry.objects.exclude(pk__in=before).exclude(action__startswith="sign_in")
    assert sorted(made.values_list("action", flat=True)) == actions
    assert "Secret title" not in str([*made.values()])


@pytest.mark.parametrize("decision", ["allow", "undo"])
@pytest.mark.parametrize("way", ["page", "API", "command"])
def test_a_decision_about_deletes_leaves_one_entry(waiting, way, decision):
    administrator()
    digest = review(waiting).digest
    if way == "page":
        post(reverse(f"admin:syncer_target_deletes_{decision}", args=[waiting.pk]), digest=digest)
    elif way == "API":
        api(f"targets/fakeapi/deletes/{decision}/", digest=digest)
    else:
        command("sync_deletes", "fakeapi", f"--{decision}", digest, "--by", "administrator")
    [row] = Entry.objects.filter(action="decision.made")
    assert (row.actor_name, row.subject_name) == ("administrator", "Fake API")
    assert row.details == {"decision": f"{decision} deletes", "objects": 5}


def test_what_the_engine_writes_by_itself_is_no_act(waiting):
    assert not Entry.objects.filter(action__endswith=".changed").exists()
    assert User.objects.count() == 0
