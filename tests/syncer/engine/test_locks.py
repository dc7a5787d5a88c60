"""Who holds rows of the engine waits for nobody who waits for them."""

import os
import subprocess
import sys

import pytest
from django.db import connection, transaction

from content.news.models import Comment
from syncer.engine.plan import plan, raise_keys
from syncer.models import Binding, Route, Target
from syncer.models.routemap import RouteMap
from syncer.recovery.recover import recover
from syncer.targets.rest import doubt
from tests.content.locks import Other, blocked_sessions
from tests.flows.wait import until
from tests.flows.worker import ROOT, database_url
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of
from tools.lifeline import tied

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]
SECONDS = 20


@pytest.fixture
def comment(synced):
    return Comment.objects.create(post=synced, name="N", email="n@example.com", body="C")


@pytest.mark.parametrize("all_routes", [False, True], ids=["plan", "recover"])
def test_a_planner_lets_others_commit_the_bindings_that_it_waits_for(target, comment, all_routes):
    """It holds its route's row, which a new binding names."""
    route = Route.objects.get(model="news.Comment")
    with transaction.atomic():
        raise_keys(route, [str(comment.pk)])
        other = Other(recover if all_routes else lambda: plan(RouteMap(target), route))
        until(blocked_sessions, seconds=SECONDS)
    other.end()
    assert Binding.objects.get(route=route).wanted == 2


def test_whoever_decides_a_doubt_lets_others_commit_the_children_that_it_waits_for(target, synced, comment):
    """It holds the parent's binding, which a child that is settled names."""
    sync(target)
    Binding.objects.filter(pk=binding_of(synced).pk).update(in_doubt=True, remote_id=None, create_body={})
    Binding.objects.filter(pk=binding_of(comment).pk).update(parent=None)
    with transaction.atomic():
        Binding.objects.filter(pk=binding_of(comment).pk).update(parent=binding_of(synced))
        other = Other(lambda: doubt.decide(binding=binding_of(synced), remote_id=7))
        until(blocked_sessions, seconds=SECONDS)
    other.end()
    assert binding_of(comment).wanted == 2


STANDS_STILL = """
import os, signal, django
django.setup()
from django.db import transaction
from syncer.models import Target
with transaction.atomic():
    Target.objects.select_for_update().get()
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_process_that_stands_still_in_a_transaction_does_not_hold_its_rows_for_ever(target):
    environment = {**os.environ, "DATABASE_URL": database_url(), "DATABASE_IDLE_SECONDS": "1"}
    frozen = subprocess.Popen(**tied([sys.executable, "-c", STANDS_STILL]), cwd=ROOT, env=environment)
    try:
        os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WNOWAIT)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{SECONDS}s'")
            Target.objects.select_for_update().get()
    finally:
        frozen.kill()
        frozen.wait()
