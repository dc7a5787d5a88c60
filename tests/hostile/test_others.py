"""Another person's objects, asked for by every verb and every entry point: answered as what does not exist."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from backoffice.accounts.models import ApiKey
from backoffice.kit.jobs.service import start
from content.palettes.models import Palette
from tests.backoffice.works import HERE
from tests.content.api_client import ApiClient
from tests.content.files import preview
from tests.content.files import table as csv_of
from tests.content.pages import browser, person
from tests.content.palettes.people import team_of
from tests.hostile.cases import HIDDEN, nothing_written, table

pytestmark = pytest.mark.django_db

PALETTES = [f"palettes.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("team", "palette")]
PALETTES.append("palettes.import_palette")
NOWHERE = {"id": 10**9, "uuid": uuid4()}


@dataclass(frozen=True)
class Thing:
    """`address` has a place for the key of the object that `owned` makes; `methods` are those that it knows."""

    owned: Any
    address: str
    methods: tuple[str, ...] = ("GET", "PUT", "PATCH", "DELETE")
    key: str = "id"
    body: dict[str, Any] = field(default_factory=dict)
    is_page: bool = False

    outcome = HIDDEN


def palette(owner: Any) -> Any:
    return Palette.objects.create(team=team_of(owner), name="Spring", colors=["#FF0000"]).pk


def team(owner: Any) -> Any:
    return team_of(owner).pk


def key(owner: Any) -> Any:
    made = ApiKey(user=owner, name="Report", expires=timezone.now() + timedelta(days=1), full_access=True)
    made.seal()
    made.save()
    return made.pk


def job(owner: Any) -> Any:
    return start(f"{HERE}posts", user=owner, title="A job", arguments={"titles": ["A"]}).pk


def imported(owner: Any) -> Any:
    rows = csv_of(["team", "name", "colors"], [team_of(owner).pk, "Spring", "#FF0000"])
    return preview(browser(owner), Palette, rows).context["record"].pk


BY_PAGE = ("GET", "POST")
PALETTE, TEAM, JOB = "/api/palettes/palettes/{}/", "/api/palettes/teams/{}/", "/api/jobs/{}/"
NEW = {"name": "New", "colors": []}
PAGE, FORM = "/admin/palettes/palette/{}/", "/admin/palettes/team/{}/"

THINGS = {
    "a palette": Thing(palette, PALETTE, body=NEW),
    "a team": Thing(team, TEAM, body={"name": "New"}),
    "palettes of a team": Thing(team, f"{TEAM}palettes/", BY_PAGE, body=NEW),
    "members of a team": Thing(team, f"{TEAM}members/", BY_PAGE, body={"user": "stranger"}),
    "a member of a team": Thing(team, f"{TEAM}members/owner/", ("DELETE",)),
    "an API key": Thing(key, "/api/accounts/keys/{}/", ("DELETE",)),
    "a job": Thing(job, JOB, ("GET",), key="uuid"),
    "the file of a job": Thing(job, f"{JOB}file/", ("GET",), key="uuid"),
    "the page of a palette": Thing(palette, f"{PAGE}change/", BY_PAGE, body=NEW, is_page=True),
    "the deletion of a palette": Thing(palette, f"{PAGE}delete/", BY_PAGE, body={"post": "yes"}, is_page=True),
    "the history of a palette": Thing(palette, f"{PAGE}history/", BY_PAGE, is_page=True),
    "the states of a palette": Thing(palette, f"{PAGE}states/", BY_PAGE, is_page=True),
    "the sync of a palette": Thing(palette, f"{PAGE}sync/", BY_PAGE, is_page=True),
    "the page of a team": Thing(team, f"{FORM}change/", BY_PAGE, body={"name": "New"}, is_page=True),
    "the deletion of a team": Thing(team, f"{FORM}delete/", BY_PAGE, body={"post": "yes"}, is_page=True),
    "the page of a key": Thing(key, "/admin/accounts/apikey/{}/change/", BY_PAGE, is_page=True),
    "the end of a key": Thing(key, "/admin/accounts/apikey/{}/revoke/", ("POST",), is_page=True),
    "the page of a job": Thing(job, "/admin/jobs/job/{}/change/", BY_PAGE, key="uuid", is_page=True),
    "the file of a job's page": Thing(job, "/admin/jobs/job/{}/file/", BY_PAGE, key="uuid", is_page=True),
    "the page of an import": Thing(imported, "/admin/content/import/{}/change/", BY_PAGE, key="uuid", is_page=True),
    "the rows of an import": Thing(imported, "/admin/content/import/{}/failed/", BY_PAGE, key="uuid", is_page=True),
    "the confirmation": Thing(imported, "/admin/content/import/{}/confirm/", ("POST",), key="uuid", is_page=True),
    "the undo of an import": Thing(imported, "/admin/content/import/{}/undo/", ("POST",), key="uuid", is_page=True),
}


@pytest.mark.parametrize("thing", table("API and admin: objects of others", THINGS))
def test_an_object_of_others_is_not_there_whatever_is_asked_of_it(thing):
    owner, stranger = person("owner", *PALETTES), person("stranger", *PALETTES)
    theirs, nowhere = thing.owned(owner), NOWHERE[thing.key]
    client: Any = browser(stranger) if thing.is_page else ApiClient(stranger)
    for method in thing.methods:
        with nothing_written():
            answers = [ask(client, thing, method, key) for key in (theirs, nowhere)]
        assert answers[0] == answers[1]
        assert answers[0][0] == 302 or 400 <= answers[0][0] < 500


def ask(client: Any, thing: Thing, method: str, key: Any) -> tuple[int, str, str]:
    """Return the status, where it leads and what it says, without the key."""
    address = thing.address.format(key)
    if thing.is_page:
        answer = client.post(address, thing.body) if method == "POST" else client.get(address)
        return answer.status_code, answer.get("Location", ""), ""
    answer = client.send(method, address, thing.body)
    return answer.status_code, "", answer.content.decode().replace(str(key), "")
