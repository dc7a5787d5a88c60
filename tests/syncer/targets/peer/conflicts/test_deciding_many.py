"""One side's values for many conflicts."""

import pytest
from django.urls import reverse

from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.service import work_here
from content.orders.models import Order
from syncer.engine import many
from syncer.models import Replica
from syncer.targets.peer import conflicts_many
from syncer.targets.peer.conflicts_many import Side, open_among
from tests.content.pages import administrator, browser, form_of
from tests.syncer.targets.peer.conflicts.support import CONTENT, PACKER, edit, hand_in, order, replica

pytestmark = [pytest.mark.quick("postgres"), pytest.mark.django_db(transaction=True)]
LIST = reverse("admin:syncer_replica_changelist")


@pytest.fixture
def two(warehouse, node, contested, editor):
    """The keys of two orders in conflict: 2 here, 3 there."""
    other = node.create(CONTENT)
    hand_in(warehouse, node, other)
    edit(other, editor, reason="by phone", quantity=2)
    node.edit(other, quantity=3, by=PACKER)
    assert hand_in(warehouse, node, other) == ["conflict"]
    return [contested, other]


def act(client, action, keys, **data):
    chosen = [replica(key).pk for key in keys]
    return client.post(LIST, {"action": action, "_selected_action": chosen, **data})


def answer(client, action, keys, **data):
    form = form_of(act(client, action, keys), "question")
    chosen = [replica(key).pk for key in keys]
    return client.post(LIST, form | {"_selected_action": chosen, "sure": "yes", **data}, follow=True)


@pytest.mark.parametrize(("action", "quantity"), [("take_ours", 2), ("take_theirs", 3)])
def test_one_side_is_taken_in_all_chosen_conflicts(two, action, quantity):
    question = act(administrator(), action, two).content.decode()
    assert "in 2 conflicts?" in question
    page = answer(administrator(), action, two, reason="Agreed by phone").content.decode()
    assert "2 objects are decided." in page
    assert [order(key).quantity for key in two] == [quantity, quantity]
    assert not Replica.objects.filter(conflicts__isnull=False).exists()


def test_what_somebody_may_not_edit_is_left_and_named(two, editor):
    editor.user_permissions.clear()
    acted = conflicts_many.decide_all(open_among(Replica.objects.all()), Side.THEIRS, user=editor, reason="")
    assert (acted.done, len(acted.refused)) == (0, 2)
    assert [order(key).quantity for key in two] == [2, 2]


def test_an_edit_since_the_question_prevents_the_decision_of_that_object_alone(two, editor):
    seen = open_among(Replica.objects.all())
    edit(two[0], editor, reason="", quantity=9)
    acted = conflicts_many.decide_all(seen, Side.THEIRS, user=editor, reason="")
    assert (acted.done, len(acted.refused)) == (1, 1)
    assert [order(key).quantity for key in two] == [9, 3]


def test_the_page_asks_again_if_something_changed_since(two, editor):
    form = form_of(act(administrator(), "take_theirs", two), "question")
    edit(two[0], editor, reason="", quantity=9)
    chosen = [replica(key).pk for key in two]
    page = administrator().post(LIST, form | {"_selected_action": chosen, "sure": "yes"}).content.decode()
    assert "nothing was decided. Look again." in page
    assert Order.objects.filter(quantity=3).count() == 0


def test_very_many_are_decided_by_a_job(two, monkeypatch, editor):
    monkeypatch.setattr(many, "DECIDED_AT_ONCE", 1)
    page = answer(browser(editor), "take_theirs", two)
    assert page.redirect_chain[0][0].startswith("/admin/jobs/job/")
    job = Job.objects.get()
    work_here(job)
    assert job.result == {"decided": 2, "left": 0}
    assert [order(key).quantity for key in two] == [3, 3]


def test_a_deleted_side_is_taken_too(deleted_here, editor):
    acted = conflicts_many.decide_all(open_among(Replica.objects.all()), Side.OURS, user=editor, reason="")
    assert acted.done == 1
    assert not Order.objects.exists()
