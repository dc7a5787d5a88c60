"""Jobs: done once, seen by who asked, and never lost without a word."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import RequestFactory
from django.urls import resolve, reverse
from django.utils.translation import override
from django_q.models import OrmQ

from backoffice.accounts.models import User
from backoffice.kit import clock, waiting_files
from backoffice.kit.context import Cause, caused_by
from backoffice.kit.jobs.api import job_response
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import PROBLEMS, JobOverError, Progress
from backoffice.kit.jobs.report import Report
from backoffice.kit.jobs.service import LOGGED, start, take, work, work_here
from backoffice.kit.jobs.sweep import STOPPED, sweep
from content.news.models import Post
from tests.backoffice.works import HERE, SECRET
from tests.content.api_client import ApiClient, make_user
from tests.content.pages import administrator, sign_in
from tests.flows.wait import until
from tests.flows.worker import Worker

pytestmark = pytest.mark.django_db
in_transactions = pytest.mark.django_db(transaction=True)
SECONDS = 40


def begin(name, *, user=None, here=True, total=None, **arguments):
    return start(HERE + name, user=user, title="A task", total=total, arguments=arguments, here=here)


def ago(job, **columns):
    """Make times of the job older."""
    values = {name: clock.now() - age for name, age in columns.items()}
    Job.objects.filter(pk=job.pk).update(**values)


# --- doing it --------------------------------------------------------------------------------------------------------
def test_a_job_counts_what_was_done_and_gives_the_result():
    job = begin("posts", total=3, titles=["A", "B", "C"])
    assert (job.state, job.total, job.done, job.failed) == ("done", 3, 3, 0)
    assert job.result == {"written": 3}
    assert job.started_at <= job.finished_at


def test_a_bad_item_stops_only_itself():
    job = begin("posts", total=3, titles=["A", "", "C"])
    assert (job.state, job.done, job.failed) == ("done", 2, 1)
    assert job.problems == [{"item": "title ''", "message": "This field cannot be blank."}]
    assert Post.objects.count() == 2


def test_a_job_speaks_the_language_of_whoever_started_it():
    with override("de"):
        job = begin("posts", here=False, titles=["A", ""])
    work(str(job.pk))  # by a worker, which speaks English itself
    job.refresh_from_db()
    assert job.problems == [{"item": "title ''", "message": "Dieses Feld darf nicht leer sein."}]


def test_an_error_of_the_program_is_told_in_the_language_of_its_reader():
    job = begin("crashes")
    with override("fr"):
        assert Report(job).message == "Une erreur du programme y a mis fin ; elle a été journalisée."
    assert str(job.error) == LOGGED


def test_only_the_first_problems_are_kept_and_the_rest_is_counted():
    job = begin("many_fail", number=PROBLEMS + 7)
    assert (len(job.problems), job.failed, job.problems_left_out) == (PROBLEMS, PROBLEMS + 7, 7)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("breaks_a_rule", "title: The sea is too wide."),
        ("has_a_problem", "The service does not answer."),
        ("is_refused", "You may not do this."),
        ("crashes", LOGGED),
        ("gives_no_json", LOGGED),
    ],
)
def test_an_error_of_the_work_ends_the_job_with_its_words_or_none(name, error, caplog):
    job = begin(name)
    assert (job.state, job.error) == ("failed", error)
    assert bool(caplog.records) == (error == LOGGED)


def test_an_error_of_the_program_is_logged_whole(caplog):
    begin("crashes")
    assert SECRET in caplog.text
    assert "Traceback" in caplog.text


def test_what_postgresql_cannot_keep_is_replaced():
    job = begin("holds_a_nul")
    assert job.problems == [{"item": "a\ufffdb", "message": "c\ufffdd"}]
    assert job.error == "e\ufffdf"


def test_work_that_is_not_there_is_refused_when_it_is_started():
    with pytest.raises(ImportError):
        begin("nothing")
    assert not Job.objects.exists()


def test_a_job_is_taken_once():
    job = begin("posts", here=False, titles=["A"])
    loser = Job.objects.get(pk=job.pk)
    assert take(job)
    assert not take(loser)
    assert not work_here(loser)
    assert not Post.objects.exists()


def test_a_job_that_ended_is_not_done_again():
    job = begin("posts", titles=["A"])
    work(str(job.pk))
    assert Post.objects.count() == 1


def test_a_job_that_was_given_up_ends_in_silence():
    job = begin("is_given_up")
    assert not Job.objects.filter(pk=job.pk).exists()


@transaction.atomic
def write_and_advance(progress):
    Post.objects.create(title="A", body="B")
    progress.advance()


@in_transactions
def test_what_is_written_with_the_progress_goes_when_the_job_was_given_up():
    job = begin("posts", here=False, titles=[])
    take(job)
    Job.objects.filter(pk=job.pk).update(state="failed", error=STOPPED, finished_at=clock.now())
    with pytest.raises(JobOverError):
        write_and_advance(Progress(job))
    assert not Post.objects.exists()


# --- on whose behalf -------------------------------------------------------------------------------------------------
def test_what_a_job_writes_has_the_person_the_request_and_the_reason():
    user = make_user()
    with caused_by(Cause(request_id="request-1", reason="Spring")):
        job = begin("posts", user=user, here=False, titles=["A"])
    work_here(job)
    row = Post.history.get()
    assert (row.history_user, row.request_id, row.history_change_reason) == (user, "request-1", "Spring")


def test_the_person_before_is_the_person_after():
    begin("posts", user=make_user(), titles=["A"])
    Post.objects.create(title="B", body="B")
    assert Post.history.get(title="B").history_user is None


def test_the_work_knows_who_asked():
    assert begin("says_who", user=make_user("editor")).result == {"user": "editor"}


def test_a_job_of_an_account_that_was_switched_off_does_nothing():
    user = make_user()
    job = begin("posts", user=user, here=False, titles=["A"])
    user.is_active = False
    user.save()
    work_here(job)
    assert (job.state, job.error) == ("failed", "The account that started this was deactivated.")
    assert not Post.objects.exists()


def test_a_job_goes_with_its_account_rather_than_run_as_a_program():
    user = make_user()
    job = begin("posts", user=user, here=False, titles=["A"])
    user.delete()
    work(str(job.pk))
    assert not Job.objects.exists()
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    "values", [{"state": "done"}, {"error": "why"}, {"state": "queued", "finished_at": clock.now}], ids=str
)
def test_the_database_refuses_a_job_that_makes_no_sense(values):
    job = begin("posts", here=False, titles=[])
    found = {name: value() if callable(value) else value for name, value in values.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(**found)


# --- waking ----------------------------------------------------------------------------------------------------------
@in_transactions
def test_a_worker_is_woken_when_the_transaction_is_committed():
    with transaction.atomic():
        begin("posts", here=False, titles=["A"])
        assert not OrmQ.objects.exists()
    assert OrmQ.objects.count() == 1


@in_transactions
def test_what_is_rolled_back_wakes_nobody():
    with transaction.atomic():
        begin("posts", here=False, titles=["A"])
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()
    assert not Job.objects.exists()


def test_a_lost_wake_up_costs_seconds():
    begin("posts", here=False, titles=["A"])
    assert sweep() == 0
    Job.objects.update(lease_until=F("lease_until") - timedelta(seconds=5))
    assert sweep() == 1
    assert OrmQ.objects.count() == 1
    assert sweep() == 0


@pytest.mark.parametrize(("age", "pause"), [(1, 5), (10, 10), (30, 30), (59, 59), (61, 60), (600, 60)])
def test_the_pause_between_wake_ups_grows(age, pause):
    job = begin("posts", here=False, titles=["A"])
    ago(job, created_at=timedelta(seconds=age), lease_until=timedelta())
    began = clock.now()
    assert sweep() == 1
    job.refresh_from_db()
    assert began + timedelta(seconds=pause) <= job.lease_until <= clock.now() + timedelta(seconds=pause + 1)


def test_a_job_whose_worker_is_gone_ends_and_says_so():
    job = begin("posts", here=False, titles=["A"])
    take(job)
    assert sweep() == 0
    Job.objects.update(lease_until=F("lease_until") - timedelta(seconds=settings.SYNC_LEASE_SECONDS))
    assert sweep() == 1
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", STOPPED)
    assert job.finished_at


def test_work_in_slices_is_queued_again_until_it_is_done():
    job = begin("one_post_a_turn", total=3, titles=["A", "B", "C"])
    assert (job.state, job.done, job.finished_at) == ("queued", 1, None)
    work(str(job.pk))
    work(str(job.pk))
    work(str(job.pk))  # a surplus task
    job.refresh_from_db()
    assert (job.state, job.done, job.result) == ("done", 3, {"written": 3})


def test_work_in_slices_goes_on_after_its_worker_stopped_as_often_as_it_may():
    job = start(HERE + "posts", user=None, title="A task", arguments={"titles": ["A"]}, resumes=1)
    for state in ("queued", "failed"):
        take(job)
        assert sweep() == 0
        Job.objects.update(lease_until=F("lease_until") - timedelta(seconds=settings.SYNC_LEASE_SECONDS))
        assert sweep() == 1
        job.refresh_from_db()
        assert job.state == state


def test_old_jobs_and_files_are_removed():
    jobs = [begin("writes_a_file", text="x") for _ in range(3)]
    ago(jobs[1], finished_at=timedelta(hours=25))
    ago(jobs[2], finished_at=timedelta(days=8))
    sweep()
    assert [bool(job.file) for job in Job.objects.order_by("-finished_at")] == [True, False]
    assert [waiting_files.path(job.file).exists() for job in jobs] == [True, False, False]


def test_a_sweep_with_nothing_to_do_only_reads(django_assert_num_queries):
    begin("posts", titles=["A"])
    with django_assert_num_queries(4 if connection.vendor == "sqlite" else 5) as found:
        sweep()
    assert all(query["sql"].startswith("SELECT") for query in found.captured_queries)


# --- with a real worker ----------------------------------------------------------------------------------------------
@pytest.mark.slow
@in_transactions
def test_a_worker_does_the_job():
    job = begin("posts", user=make_user(), here=False, titles=["A", ""])
    with Worker():
        until(lambda: Job.objects.get(pk=job.pk).finished_at, seconds=SECONDS)
    job.refresh_from_db()
    assert (job.state, job.done, job.failed) == ("done", 1, 1)
    assert str(Post.history.get().history_user) == "editor"


@pytest.mark.slow
@in_transactions
def test_a_job_is_ended_by_the_next_worker_when_its_own_was_killed():
    job = begin("never_ends", here=False)
    with Worker(SYNC_LEASE_SECONDS="2") as worker:
        until(lambda: Job.objects.get(pk=job.pk).done, seconds=SECONDS)
        before = Job.objects.get(pk=job.pk).lease_until
        until(lambda: Job.objects.get(pk=job.pk).lease_until > before + timedelta(seconds=3), seconds=SECONDS)
        assert Job.objects.get(pk=job.pk).state == "running"
        worker.kill()
        worker.start()
        until(lambda: Job.objects.get(pk=job.pk).finished_at, seconds=SECONDS)
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", STOPPED)


# --- the API ---------------------------------------------------------------------------------------------------------
def test_the_starter_of_a_job_sees_its_progress():
    user = make_user()
    job = begin("posts", user=user, total=2, titles=["A", ""])
    answer = ApiClient(user).get(f"/api/jobs/{job.pk}/")
    assert answer.status_code == 200
    body = answer.json()
    assert body["id"] == str(job.pk)
    assert [body[name] for name in ("title", "state", "total", "done", "failed")] == ["A task", "done", 2, 1, 1]
    assert body["problems"] == [{"item": "title ''", "message": "This field cannot be blank."}]
    assert body["result"] == {"written": 1}
    assert (body["error"], body["file"], body["problems_left_out"]) == ("", None, 0)
    assert body["created_at"] <= body["started_at"] <= body["finished_at"]


def test_an_error_of_the_program_is_not_shown_by_the_api():
    user = make_user()
    job = begin("crashes", user=user)
    answer = ApiClient(user).get(f"/api/jobs/{job.pk}/")
    assert answer.json()["error"] == LOGGED
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize(("permissions", "status"), [([], 404), (["jobs.view_job"], 200)])
def test_for_others_a_job_does_not_exist_unless_they_may_view_jobs(permissions, status):
    job = begin("says_who", user=make_user())
    assert sign_in(*permissions, name="other").get(f"/api/jobs/{job.pk}/").status_code == status


def test_a_file_is_only_for_the_user_who_started_the_job():
    job = begin("writes_a_file", user=make_user(), text="x")
    client = sign_in("jobs.view_job", name="other")
    assert client.get(f"/api/jobs/{job.pk}/").json()["file"] is None
    assert "Download" not in client.get(page("change", job.pk)).content.decode()
    assert client.get(f"/api/jobs/{job.pk}/file/").status_code == 404
    assert client.get(page("file", job.pk)).status_code == 404


@pytest.mark.parametrize("path", ["", "file/"])
def test_a_job_that_is_not_there_is_404_and_nobody_is_401(path, client):
    assert administrator().get(f"/api/jobs/{uuid4()}/{path}").status_code == 404
    assert client.get(f"/api/jobs/{uuid4()}/{path}").status_code == 401


def test_the_file_of_a_job_is_downloaded_from_the_address_that_it_gives():
    user = make_user()
    client = ApiClient(user)
    job = begin("writes_a_file", user=user, text="Grüße")
    answer = client.get(client.get(f"/api/jobs/{job.pk}/").json()["file"])
    assert answer.getvalue().decode() == "Grüße"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="words.txt"'


def test_a_job_without_a_file_and_one_whose_file_is_gone_have_none():
    user = make_user()
    client = ApiClient(user)
    assert client.get(f"/api/jobs/{begin('says_who', user=user).pk}/file/").status_code == 404
    job = begin("writes_a_file", user=user, text="x")
    waiting_files.remove(job.file)
    assert client.get(f"/api/jobs/{job.pk}/file/").status_code == 404


def test_a_job_is_answered_with_202_and_where_to_ask():
    job = begin("posts", here=False, titles=["A"])
    request = RequestFactory().post("/api/news/posts/")
    request.resolver_match = resolve("/api/news/posts/")
    answer = job_response(request, job)
    assert (answer.status_code, answer["Location"], answer["Retry-After"]) == (202, f"/api/jobs/{job.pk}/", "1")


# --- the admin -------------------------------------------------------------------------------------------------------
def page(name, *args):
    return reverse(f"admin:jobs_job_{name}", args=args)


def test_the_list_holds_ones_own_jobs_and_with_the_permission_all():
    client = sign_in()
    mine = begin("says_who", user=make_user("other"))
    Job.objects.update(title="Somebody else's")
    begin("says_who", user=User.objects.get(username="editor"))
    shown = client.get(page("changelist"))
    assert [str(job) for job in shown.context["cl"].result_list] == ["A task"]
    shown = sign_in("jobs.view_job", name="chief").get(page("changelist"))
    assert len(shown.context["cl"].result_list) == 2
    for name in ("change", "progress", "file"):
        assert client.get(page(name, mine.pk)).status_code in (302, 404)


def test_a_job_that_is_not_there_has_no_page():
    client = administrator()
    assert client.get(page("progress", uuid4())).status_code == 404
    assert client.get(page("change", "x")).status_code == 404


def test_nobody_changes_a_job_by_hand():
    client = administrator()
    job = begin("says_who")
    assert client.get(page("add")).status_code == 403
    assert client.post(page("delete", job.pk), {"post": "yes"}).status_code == 403


def test_the_page_of_a_job_shows_problems_result_and_download():
    client = administrator()
    job = begin("posts", total=2, titles=["A", ""])
    shown = client.get(page("change", job.pk)).content.decode()
    assert "Done; 1 item failed." in shown
    assert "This field cannot be blank." in shown
    assert "<b>1</b> written" in shown
    assert "http-equiv" not in shown
    job = begin("writes_a_file", text="x")
    assert page("file", job.pk) in client.get(page("change", job.pk)).content.decode()
    assert client.get(page("file", job.pk)).getvalue() == b"x"


def test_the_page_of_an_open_job_moves_with_and_without_a_script():
    client = administrator()
    job = begin("posts", here=False, total=4, titles=["A"])
    shown = client.get(page("change", job.pk)).content.decode()
    assert '<noscript><meta http-equiv="refresh"' in shown
    assert f'data-url="{page("progress", job.pk)}"' in shown
    take(job)
    Job.objects.update(done=1, failed=1)
    found = client.get(page("progress", job.pk)).json()
    assert (found["open"], found["percent"], found["done"], found["total"]) == (True, 50, 2, 4)


def test_a_job_that_nobody_takes_hints_at_the_worker():
    client = administrator()
    job = begin("posts", here=False, titles=["A"])
    ago(job, created_at=timedelta(seconds=11))
    assert "manage.py worker" in client.get(page("progress", job.pk)).json()["hint"]
