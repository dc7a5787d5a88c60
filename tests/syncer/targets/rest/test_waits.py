"""A target that asks us to wait, itself or at its sign-in: what is sent to it meanwhile, and how long it waits."""

import time
from datetime import timedelta
from email.utils import formatdate

import pytest

from backoffice.kit import clock
from content.news.models import Post
from syncer.core.circuit import FAILURES
from syncer.models import Binding
from tests.remote import Fault, Tokens
from tests.syncer.conftest import sync, sync_automatically
from tests.syncer.support import binding_of, let_time_pass, requests

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 120  # seconds


@pytest.mark.parametrize("retry_after", [None, WAIT, "date"])
def test_while_the_target_waits_nothing_is_sent_to_it(target, post, remote, retry_after):
    if retry_after == "date":
        retry_after = formatdate(time.time() + WAIT, usegmt=True)
    remote.fault(Fault.STATUS, status=429, retry_after=retry_after)
    sync(target)
    type(target).objects.update(not_before=clock.now() + timedelta(seconds=WAIT))
    Post.objects.create(title="C", body="D")
    remote.clear_journal()
    run = sync_automatically(target)
    assert requests(remote) == []
    assert "2 changes are kept, next try in 1" in run.message
    let_time_pass()
    assert sync(target).state == "done"
    assert len(remote.posts) == 2


def test_a_target_that_asks_to_wait_does_so_longer_each_time_until_it_answers(target, remote):
    Post.objects.create(title="A", body="B")
    remote.fault(Fault.STATUS, status=429, times=3)
    in_a_row = []
    for _ in range(4):
        sync(target)
        target.refresh_from_db()
        in_a_row.append(target.throttled)
        let_time_pass()
    assert in_a_row == [1, 2, 3, 0]
    assert len(remote.posts) == 1


def test_of_many_requests_at_once_only_those_under_way_meet_a_target_that_asks_to_wait(target, remote):
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(50))
    remote.fault(Fault.STATUS, status=429, retry_after=WAIT, times=None)
    sync(target)
    assert len(requests(remote)) <= target.concurrency


# --- where the target wants a token first ----------------------------------------------------------------------------
@pytest.fixture
def token(target, remote, monkeypatch):
    """The target wants a token, which a sign-in gives."""
    monkeypatch.setenv("SYNC_FAKE_API_SECRET", "s3cret-of-a-test")
    remote.require(Tokens("sync", "s3cret-of-a-test", path="/token/"))
    secret = {"auth_user": "sync", "auth_secret": "env:SYNC_FAKE_API_SECRET", "auth_url": "/token/"}
    type(target).objects.update(auth="jwt", **secret)
    target.refresh_from_db()


@pytest.mark.parametrize("status_code", [429, 503])
def test_a_sign_in_that_is_put_off_makes_the_target_wait(target, post, remote, token, status_code):
    remote.fault(Fault.STATUS, path="/token/", status=status_code, retry_after=WAIT)
    began = clock.now()
    assert sync(target).message.startswith(f"Fake API answered {status_code} to the sign-in; 1 change is kept")
    target.refresh_from_db()
    assert target.not_before >= began + timedelta(seconds=WAIT)
    assert (binding_of(post).unconfirmed, binding_of(post).create_key) == (False, None)
    let_time_pass()
    assert sync(target).state == "done"


def test_a_sign_in_that_is_down_is_not_tried_for_every_object(target, remote, token):
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(100))
    remote.fault(Fault.STATUS, path="/token/", status=500, times=None)
    sync(target)
    assert FAILURES <= len(requests(remote)) < FAILURES + target.concurrency
    assert Binding.objects.filter(tries=0).count() > 100 - FAILURES - target.concurrency
