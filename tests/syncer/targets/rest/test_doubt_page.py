"""What only a person can know: the page on which they decide it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from content.news.models import Post
from syncer.core.state import State
from syncer.engine.runs import work
from syncer.models import Binding, Run
from syncer.targets.rest import doubt
from tests.content.pages import administrator, sign_in
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of, requests
from tests.syncer.targets.rest.doubts import decide, page_of, resolve_url

pytestmark = pytest.mark.django_db(transaction=True)

SYNC = "syncer.sync_target"


def test_the_page_shows_what_was_sent_and_what_may_be_it(target, several):
    page = administrator().get(page_of(binding_of(several))).content.decode()
    one = binding_of(several)
    for text in ("A create was not answered. Did it arrive?", str(one.create_key), "99999942", "2 possible matches"):
        assert text in page
    assert f"{target.url}/posts/1" in page
    assert f"{target.url}/posts/2" in page


def test_a_candidate_is_chosen_with_one_button_and_confirmed(target, several, remote):
    answer, asked = decide(administrator(), binding_of(several), encoded="2")
    assert f"All fields of the object are sent to record 2 (a number) at {target} then." in asked
    assert "If there is no such record, it is created again." in asked
    run = Run.objects.latest("pk")
    assert answer["Location"] == reverse("admin:syncer_run_change", args=[run.pk])
    work(run)
    assert binding_of(several).remote_id == "2"
    assert requests(remote) == [("PUT", "/posts/2")]


def test_an_id_is_written_and_confirmed(target, doubtful, remote):
    _, asked = decide(administrator(), binding_of(doubtful), way="arrived", remote_id="1")
    assert "its record is 1" in asked
    work(Run.objects.latest("pk"))
    assert requests(remote) == [("PUT", "/posts/1")]


def test_what_did_not_arrive_is_confirmed_and_sent(target, doubtful, remote):
    _, asked = decide(administrator(), binding_of(doubtful), way="not_arrived")
    assert "It is then created again, as it is now, with a new key." in asked
    assert "Fake API has it twice" in asked
    work(Run.objects.latest("pk"))
    assert requests(remote) == [("POST", "/posts")]


@pytest.mark.parametrize(
    ("answer", "follows"),
    [
        ({"way": "not_arrived"}, "Nothing is sent then: the object is gone here"),
        ({"encoded": "1"}, "Record 1 (a number) at Fake API is deleted then"),
    ],
)
def test_the_page_says_what_follows_for_an_object_that_is_gone_here(target, doubtful, answer, follows):
    one = binding_of(doubtful)
    doubtful.delete()
    assert follows in administrator().post(resolve_url(one), {"seen": one.token} | answer).content.decode()


def test_the_text_five_stays_a_text_to_the_end(target, doubtful):
    _, asked = decide(administrator(), binding_of(doubtful), way="arrived", remote_id='"5"')
    assert "(a text)" in asked
    assert binding_of(doubtful).remote_id == '"5"'


def test_the_number_of_a_candidate_stays_a_number_among_texts(target, several):
    Binding.objects.create(route=target.routes.get(model="news.Post"), object_key="0", last_remote_id='"b"')
    decide(administrator(), binding_of(several), encoded="2")
    assert binding_of(several).remote_id == "2"


def test_nothing_is_decided_before_it_is_confirmed(target, doubtful):
    before = Binding.objects.values().get()
    administrator().post(resolve_url(binding_of(doubtful)), {"way": "not_arrived", "seen": binding_of(doubtful).token})
    assert Binding.objects.values().get() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"way": "arrived", "remote_id": ""}, "be a record&#x27;s id"),
        ({"encoded": "[1]"}, "be a record&#x27;s id"),
        ({"way": "not_arrived", "seen": "x"}, "The form did not say what you saw"),
        ({"way": "not_arrived", "seen": "0", "sure": "yes"}, "has moved on since you looked"),
        ({"encoded": "2", "sure": "yes"}, "2 is the record of news.Post:"),
    ],
    ids=range(5),
)
def test_what_is_refused_is_said_on_the_objects_page(target, doubtful, answer, says):
    Post.objects.create(title="other", body="B")
    sync(target)
    one = binding_of(doubtful)
    page = administrator().post(resolve_url(one), {"seen": one.token} | answer, follow=True)
    assert page.redirect_chain[-1][0] == page_of(one)
    assert says in page.content.decode()
    assert binding_of(doubtful).in_doubt


def test_what_is_decided_already_is_not_asked_again(target, doubtful):
    one = binding_of(doubtful)
    doubt.decide(binding=one, remote_id=None)
    page = administrator().post(resolve_url(one), {"seen": one.token, "way": "not_arrived"}, follow=True)
    assert "has moved on since you looked" in page.content.decode()


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"way": "arrived", "remote_id": "1"}, "Its record is 1."), ({"way": "not_arrived"}, "It is not there.")],
    ids=["arrived", "not arrived"],
)
def test_the_admins_log_says_who_decided_what(target, doubtful, answer, said):
    decide(sign_in(SYNC, name="operator"), binding_of(doubtful), **answer)
    entry = LogEntry.objects.get()
    assert (str(entry.user), entry.get_change_message()) == ("operator", said)
    assert entry.object_id == str(binding_of(doubtful).pk)


def test_a_decision_needs_its_permission(target, doubtful):
    one = binding_of(doubtful)
    client = sign_in("syncer.view_binding")
    assert "Only people who may sync targets can decide this." in client.get(page_of(one)).content.decode()
    assert 'name="way"' not in client.get(page_of(one)).content.decode()
    answer = client.post(resolve_url(one), {"seen": one.token, "way": "not_arrived", "sure": "yes"})
    assert (answer.status_code, binding_of(doubtful).in_doubt) == (403, True)


def test_whoever_may_not_view_posts_decides_without_reading_them(target, several):
    client = sign_in(SYNC)
    one = binding_of(several)
    asked = client.post(resolve_url(one), {"seen": one.token, "encoded": "1"}).content.decode()
    for page in (client.get(page_of(one)).content.decode(), asked):
        assert "You need the permission news.view_post to view posts." in page
        assert "99999942" not in page


@pytest.mark.parametrize("key", ["abc", "0", "9" * 19, "9" * 5000], ids=range(4))
def test_a_decision_about_nothing_is_not_there(target, key):
    assert administrator().post(f"/admin/syncer/binding/{key}/resolve/").status_code == 404


def test_a_link_decides_nothing(target, doubtful):
    assert administrator().get(resolve_url(binding_of(doubtful))).status_code == 405


def test_an_object_that_is_well_asks_nothing(target, synced):
    page = administrator().get(page_of(binding_of(synced))).content.decode()
    assert "To be decided" not in page
    assert 'value="not_arrived"' not in page


def test_where_a_create_was_sent_can_not_be_guessed_by_a_filter(target):
    client = sign_in("syncer.view_binding")
    assert client.get(reverse("admin:syncer_binding_changelist"), {"create_path__contains": "p"}).status_code == 400


def test_what_is_in_doubt_is_found_in_the_list(target, doubtful, remote):
    Post.objects.create(title="other", body="B")
    sync(target)
    page = administrator().get(reverse("admin:syncer_binding_changelist"), {"state": State.IN_DOUBT.value})
    assert [row.pk for row in page.context["cl"].result_list] == [binding_of(doubtful).pk]
