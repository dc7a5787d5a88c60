"""Enriching and summarizing by a worker: from the admin for the chosen, from the API with `wait=false`."""

import pytest
from django.urls import reverse

from backoffice.accounts.models import User
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import work_here
from content.tasks import jobs
from content.tasks.models import Item
from tests.content.api_client import ApiClient
from tests.content.pages import form_of, sign_in
from tests.content.tasks.support import editor, post, problem
from tests.remote import Fault

pytestmark = pytest.mark.django_db
LIST = "/admin/tasks/item/"


@pytest.fixture
def items():
    return [Item.objects.create(title=f"Item {number}", external_id=number) for number in ("7", "99", "7")]


def choose(client, action, items):
    return client.post(LIST, {"action": action, "_selected_action": [str(item.pk) for item in items]})


# --- the admin -------------------------------------------------------------------------------------------------------
def test_enrich_starts_a_job_and_leads_to_its_page(items, external):
    client = sign_in("tasks.change_item", "tasks.view_item")
    answer = choose(client, "enrich", items)
    job = Job.objects.get()
    assert answer["Location"] == reverse("admin:jobs_job_change", args=[job.pk])
    assert (job.title, job.total, str(job.user)) == ("Enrich 3 items", 3, "editor")
    assert client.get(answer["Location"]).status_code == 200
    assert not external.journal, "nothing is fetched while the person waits"


@pytest.mark.parametrize(("button", "verb"), [("enrich_one", "Enrich"), ("summarize_one", "Summarize")])
def test_a_button_of_the_form_saves_the_item_and_starts_a_job_of_it(items, external, button, verb):
    item, client = items[0], sign_in("tasks.change_item", "tasks.view_item")
    name, address = f"tasks_item_{button}", f"{LIST}{items[0].pk}/change/"
    page = client.get(address)
    assert f'name="{name}"' in page.content.decode()
    answer = client.post(address, {**form_of(page, "item_form"), "title": "New", name: ""})
    job = Job.objects.get()
    assert answer["Location"] == reverse("admin:jobs_job_change", args=[job.pk])
    assert (job.title, Item.objects.get(pk=item.pk).title) == (f"{verb} item {item.pk}", "New")
    assert f'<a href="{address}">New</a>' in client.get(answer["Location"]).content.decode()


def test_whoever_only_views_an_item_has_no_such_button(items):
    page = sign_in("tasks.view_item").get(f"{LIST}{items[0].pk}/change/").content.decode()
    assert "enrich_one" not in page


def test_one_bad_item_stops_only_itself_and_is_named(items, external):
    choose(sign_in("tasks.change_item", "tasks.view_item"), "enrich", items)
    job = Job.objects.get()
    assert work_here(job)
    assert (job.state, job.done, job.failed) == (Job.State.DONE, 2, 1)
    message = "external_id: The external API has no record 99."
    assert job.problems == [{"item": f"item {items[1].pk}", "message": message}]
    assert [bool(item.external_data) for item in Item.objects.order_by("pk")] == [True, False, True]
    row = items[0].history.first()
    assert (row.history_user.username, row.history_change_reason) == ("editor", "Enriched from the external API")


def test_a_service_that_fails_once_costs_one_item(items, external):
    external.fault(Fault.RESET)
    job = jobs.begin(jobs.enrich, [items[0].pk, items[2].pk], user=User.objects.create_superuser("administrator"))
    work_here(job)
    assert (job.done, job.failed) == (1, 1)
    assert job.problems[0]["message"] == "The external API closed the connection before it answered."


def test_summarize_is_done_by_a_job(items):
    choose(sign_in("tasks.change_item", "tasks.view_item"), "summarize", items)
    job = Job.objects.get()
    work_here(job)
    assert (job.title, job.done, job.failed) == ("Summarize 3 items", 3, 0)
    assert set(Item.objects.values_list("summary", "summary_source")) == {
        (f"Item {number}", "leading sentences") for number in ("7", "99")
    }


def test_the_actions_of_all_content_are_there_too(items):
    client = sign_in("tasks.change_item", "tasks.view_item", "syncer.sync_target")
    page = client.get(LIST).content.decode()
    assert [action for action in ("sync_now", "enrich", "summarize") if f'value="{action}"' not in page] == []


@pytest.mark.parametrize("action", ["enrich", "summarize"])
def test_the_actions_need_the_permission_to_change(items, action):
    client = sign_in("tasks.view_item")
    assert action not in client.get(LIST).content.decode()
    choose(client, action, items)
    assert not Job.objects.exists()


@pytest.mark.parametrize("action", ["enrich", "summarize"])
def test_items_that_are_gone_are_none(action):
    choose(sign_in("tasks.change_item", "tasks.view_item"), action, [Item(pk=-1)])
    assert (Job.objects.get().title, Job.objects.get().total) == (f"{action.capitalize()} 0 items", 0)


def test_a_permission_that_was_taken_away_ends_the_job(items, external):
    user = editor()
    job = jobs.begin(jobs.enrich, [items[0].pk], user=user)
    user.user_permissions.clear()
    work_here(job)
    assert (job.state, job.error) == (Job.State.FAILED, "You need the permission tasks.change_item to change items.")
    assert not external.journal


def test_an_item_that_was_deleted_meanwhile_is_named(items):
    job = jobs.begin(jobs.summarize, [item.pk for item in items], user=editor())
    items[1].delete()
    work_here(job)
    assert (job.done, job.problems[0]["message"]) == (2, "It was deleted meanwhile.")


def test_a_job_ends_before_its_worker_is_killed(items, settings):
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "timeout": jobs.RESERVE - 1}
    job = jobs.begin(jobs.summarize, [item.pk for item in items], user=editor())
    work_here(job)
    assert (job.state, job.done, job.failed) == (Job.State.DONE, 0, 3)
    assert "Choose the rest again." in job.problems[0]["message"]


def test_what_a_job_leaves_is_enough_for_its_last_item(settings):
    slowest = max(settings.TASKS_EXTERNAL_TOTAL, 2 * settings.SUMMARIZER_TIMEOUT + 10)
    assert slowest < jobs.RESERVE < settings.Q_CLUSTER["timeout"]


# --- the API ---------------------------------------------------------------------------------------------------------
def test_without_waiting_the_answer_is_the_job(items, external):
    client = ApiClient(editor())
    answer = post(client, f"/api/tasks/items/{items[0].pk}/enrich/?wait=false")
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (202, f"/api/jobs/{job.pk}/")
    assert not external.journal
    work_here(job)
    found = client.get(answer["Location"]).json()
    assert (found["title"], found["state"], found["done"]) == (f"Enrich item {items[0].pk}", "done", 1)
    assert Item.objects.get(pk=items[0].pk).external_data["id"] == 7


def test_wait_is_a_truth_value(items):
    client = ApiClient(editor())
    assert problem(post(client, f"/api/tasks/items/{items[0].pk}/enrich/?wait=maybe"))[0] == 422
