"""One answer for many objects that wait for a person."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command

from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import work_here
from content.news.models import Post
from syncer.core.state import Question
from syncer.engine import many
from syncer.engine.runs import work
from syncer.models import Binding, Run
from syncer.reports.questions import groups
from syncer.targets.rest import doubt_many
from syncer.targets.rest.doubt_many import Answer, asked_among
from tests.content.pages import administrator, form_of, person, sign_in
from tests.remote import Fault
from tests.syncer.conftest import sync, sync_automatically
from tests.syncer.support import binding_of, let_time_pass, requests

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/syncer/binding/"
VIEW = ("syncer.view_binding", "syncer.view_run", "news.view_post", "news.view_comment")


def lost(target, remote, number, *, act):
    """So many posts whose creates were not answered, in doubt."""
    target.routes.update(lookup=[])
    for one in range(number):
        remote.fault(Fault.RESET, method="POST", act=act)
        Post.objects.create(title=f"Lost {one}", body="B")
        sync(target)
    let_time_pass()
    sync(target)
    remote.clear_journal()
    return list(Post.objects.filter(title__startswith="Lost").order_by("pk"))


def adoptable(target, remote, number):
    """So many posts that each have one record that fits and differs, so that a person decides."""
    target.routes.update(existing="adopt")
    made = [Post.objects.create(title=f"Found {one}", body="ours") for one in range(number)]
    for one in range(number):
        remote.store.create("posts", {"userId": 99999942, "title": f"Found {one}", "body": "theirs"})
    sync(target)
    remote.clear_journal()
    return made


def act(client, action, *objects, query="", **data):
    chosen = [binding_of(obj).pk for obj in objects]
    return client.post(f"{LIST}{query}", {"action": action, "_selected_action": chosen, **data})


def answer(client, action, *objects, query="", **data):
    """Choose objects, and say yes to the question that is asked."""
    question = act(client, action, *objects, query=query, **data)
    return client.post(f"{LIST}{query}", form_of(question, "question") | {
        "_selected_action": [binding_of(obj).pk for obj in objects], "sure": "yes",
    }, follow=True)  # fmt: skip


def test_what_did_not_arrive_is_created_again_by_one_answer(target, remote):
    made = lost(target, remote, 3, act=False)
    question = act(administrator(), "not_there", *made)
    assert question.context["title"] == "Create 3 objects again?"
    assert "the target has twice then" in question.content.decode()
    assert Binding.objects.filter(in_doubt=True).count() == 3
    answer(administrator(), "not_there", *made)
    assert not Binding.objects.filter(in_doubt=True).exists()
    work(Run.objects.latest("pk"))
    assert requests(remote) == [("POST", "/posts")] * 3
    assert LogEntry.objects.filter(change_message="It is not there.").count() == 3


def test_all_of_a_question_are_decided_through_the_filter(target, remote, post):
    made = lost(target, remote, 3, act=False)
    answer(administrator(), "not_there", made[0], query="?question=create", select_across="1")
    assert not Binding.objects.filter(in_doubt=True).exists()


def test_the_filter_finds_the_objects_of_each_question(target, remote, post):
    lost(target, remote, 2, act=False)
    client = administrator()

    def found(question):
        return len(client.get(LIST, {"question": question}).context["cl"].result_list)

    assert [found(name) for name in ("create", "unseen", "gone", "any")] == [2, 0, 0, 2]
    assert Question.CREATE.value in client.get(LIST).content.decode()


def test_the_list_shows_what_waits_by_target_and_question(target, remote, post):
    assert "What waits for a decision" not in administrator().get(LIST).content.decode()
    lost(target, remote, 2, act=False)
    page = administrator().get(LIST).content.decode()
    assert f"?route__target__id__exact={target.pk}&amp;question=create" in page
    [group] = groups()
    assert (group.target, group.question, group.number, group.is_more) == (target, Question.CREATE, 2, False)


def test_the_only_match_is_taken_where_there_is_exactly_one(target, remote):
    made = adoptable(target, remote, 2)
    question = act(administrator(), "only_match", *made)
    assert question.context["title"] == "Link 2 objects to their only match?"
    answer(administrator(), "only_match", *made)
    work(Run.objects.latest("pk"))
    assert {record["body"] for record in remote.posts.values()} == {"ours"}
    assert len(remote.posts) == 2


def test_objects_with_several_matches_are_left(target, several):
    assert asked_among(Binding.objects.all(), Answer.ONLY_MATCH) == []
    page = act(administrator(), "only_match", several)
    assert page.status_code == 302
    assert binding_of(several).in_doubt


def test_chosen_ones_that_ask_nothing_are_left_and_the_question_says_so(target, remote, post):
    sync(target)
    made = lost(target, remote, 1, act=False)
    question = act(administrator(), "not_there", *made, post).content.decode()
    assert "1 of the chosen is left as it is" in question
    answer(administrator(), "not_there", *made, post)
    work(Run.objects.latest("pk"))
    assert requests(remote) == [("POST", "/posts")]


def test_nothing_is_decided_that_changed_since_the_question(target, remote):
    made = lost(target, remote, 2, act=False)
    client = administrator()
    form = form_of(act(client, "not_there", *made), "question")
    Binding.objects.filter(pk=binding_of(made[0]).pk).update(token=1000)
    chosen = [binding_of(one).pk for one in made]
    page = client.post(LIST, form | {"_selected_action": chosen, "sure": "yes"})
    assert "This has changed since you looked; nothing was decided." in page.content.decode()
    assert Binding.objects.filter(in_doubt=True).count() == 2


def test_one_that_moved_on_prevents_no_other(target, remote):
    made = lost(target, remote, 2, act=False)
    seen = asked_among(Binding.objects.all(), Answer.NOT_THERE)
    Binding.objects.filter(pk=binding_of(made[0]).pk).update(token=1000)
    acted = doubt_many.decide_all(seen, Answer.NOT_THERE, user=None)
    assert (acted.done, [name for name, _ in acted.refused]) == (1, [f"news.Post:{made[0].pk}"])
    assert [binding_of(one).in_doubt for one in made] == [True, False]


def test_very_many_are_decided_by_a_job(target, remote, monkeypatch):
    monkeypatch.setattr(many, "DECIDED_AT_ONCE", 1)
    made = lost(target, remote, 3, act=False)
    page = answer(administrator(), "not_there", *made)
    assert page.redirect_chain[0][0].startswith("/admin/jobs/job/")
    job = Job.objects.get()
    work_here(job)
    assert (job.state, job.done, job.result) == ("done", 3, {"decided": 3, "left": 0})
    assert not Binding.objects.filter(in_doubt=True).exists()


def test_a_job_goes_on_where_its_last_turn_ended(target, remote, monkeypatch):
    monkeypatch.setattr(many, "DECIDED_AT_ONCE", 0)
    monkeypatch.setattr(many, "TURN", -1)
    monkeypatch.setattr(doubt_many, "SLICE", 1)
    answer(administrator(), "not_there", *lost(target, remote, 3, act=False))
    job = Job.objects.get()
    for done in (1, 2, 3):
        work_here(job)
        assert (job.state, job.done) == ("queued", done)
    monkeypatch.setattr(many, "TURN", 60)
    work_here(job)
    assert (job.state, job.failed, job.result) == ("done", 0, {"decided": 3, "left": 0})


def test_a_job_names_what_it_could_not_decide_and_checks_the_permission(target, remote):
    made = lost(target, remote, 1, act=False)
    seen = [[binding_of(made[0]).pk, 1000]]
    arguments = {"seen": seen, "answer": "not there"}
    work_ = "syncer.targets.rest.doubt_many.decide_job"
    operator = Job.objects.create(work=work_, title="t", arguments=arguments, user=person("op", "syncer.sync_target"))
    work_here(operator)
    assert operator.problems[0]["item"] == f"news.Post:{made[0].pk}"
    assert operator.result == {"decided": 0, "left": 1}
    editor = Job.objects.create(work=work_, title="t", arguments=arguments, user=person("editor"))
    work_here(editor)
    assert editor.state == "failed"


@pytest.mark.parametrize("action", ["not_there", "only_match"])
def test_deciding_needs_the_permission_to_sync(target, remote, action):
    made = lost(target, remote, 1, act=False)
    act(sign_in(*VIEW), action, *made, sure="yes")
    assert binding_of(made[0]).in_doubt


def test_very_many_rejected_are_tried_again_by_a_job(target, remote, monkeypatch):
    monkeypatch.setattr(many, "AT_ONCE", 1)
    remote.fault(Fault.STATUS, method="POST", status=422, times=3)
    made = [Post.objects.create(title=f"T{number}", body="B") for number in range(3)]
    sync(target)
    assert Binding.objects.filter(rejected__isnull=False).count() == 3
    page = act(administrator(), "try_again", *made)
    assert page["Location"].startswith("/admin/jobs/job/")
    job = Job.objects.get()
    work_here(job)
    assert job.result == {"tried": 3}
    assert sync_automatically(target).counts["created"] == 3


def resolved(capsys, *arguments):
    """The exit status of sync_resolve, and what was printed."""
    try:
        call_command("sync_resolve", "fakeapi", *arguments)
    except SystemExit as ended:
        return ended.code, capsys.readouterr().out
    return 0, capsys.readouterr().out


def test_the_command_answers_for_all(target, remote, capsys):
    lost(target, remote, 3, act=False)
    assert resolved(capsys, "--all", "--not-arrived") == (0, "Decided: 3. 3 created.\n")
    assert len(remote.posts) == 3


def test_the_command_takes_the_only_match_of_each(target, remote, capsys):
    adoptable(target, remote, 2)
    assert resolved(capsys, "--all", "--only-match") == (0, "Decided: 2. 2 updated.\n")


@pytest.mark.parametrize("arguments", [["--all"], ["--only-match"], ["news.Post:1", "--all", "--not-arrived"]])
def test_the_command_needs_to_know_of_which_objects_and_what(target, arguments):
    with pytest.raises(CommandError, match="Give"):
        call_command("sync_resolve", "fakeapi", *arguments)
