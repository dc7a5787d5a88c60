"""Objects that wait for a person, for one reason each."""

import pytest

from content.news.models import Post
from tests.remote import Fault
from tests.syncer.conftest import sync
from tests.syncer.support import binding_of
from tests.syncer.targets.rest.doubts import SENT, lose_a_create


@pytest.fixture
def doubtful(target, post, remote):
    """A post in doubt: it is record 1 at the target. The journal is empty."""
    target.routes.update(lookup=[])
    lose_a_create(target, remote)
    sync(target)
    assert binding_of(post).in_doubt
    remote.clear_journal()
    return post


@pytest.fixture
def several(target, post, remote):
    """A post in doubt, for records 1 and 2 at the target hold what it sent. The journal is empty."""
    lose_a_create(target, remote)
    remote.store.create("posts", SENT)
    sync(target)
    assert binding_of(post).in_doubt
    remote.clear_journal()
    return post


@pytest.fixture
def gone(target, synced, remote):
    """A post whose record is gone at the target, and the route rejects such ones. The journal is empty."""
    target.routes.update(missing="reject")
    remote.store.delete("posts", 1)
    Post.objects.filter(pk=synced.pk).update(title="C")
    sync(target)
    remote.clear_journal()
    return synced


@pytest.fixture
def refused(target, post, remote):
    """A post whose create was not answered, and the look-up for it was refused. The journal is empty."""
    lose_a_create(target, remote)
    remote.fault(Fault.STATUS, method="GET", status=400, times=2)  # to the lookup, and to the whole list
    sync(target)
    remote.clear_journal()
    return post
