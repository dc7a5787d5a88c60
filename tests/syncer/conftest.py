import base64

import pytest

from content.news.models import Post
from syncer.engine.runs import run_here, work
from syncer.models import Route, Run, Target
from tests.remote import Remote
from tests.syncer import receivers
from tests.syncer.support import let_time_pass

HOOK_KEY = base64.b64encode(b"0123456789" * 3).decode()


@pytest.fixture
def target(remote: Remote, transactional_db: None) -> Target:
    """The Fake API as a target, with a route for posts and one for comments, which don't adopt."""
    target = Target.objects.create(name="fakeapi", title="Fake API", url=remote.url, timeout=5, allow_private=True)
    Route.objects.create(
        target=target,
        model="news.Post",
        path="/posts",
        fields={"userId": "user_id", "title": "title", "body": "body"},
        lookup=["userId", "title"],
        existing="create",
    )
    Route.objects.create(
        target=target,
        model="news.Comment",
        path="/comments",
        fields={"postId": "post", "name": "name", "email": "email", "body": "body"},
        lookup=["postId", "email", "name"],
        existing="create",
    )
    return target


@pytest.fixture
def waiting(target: Target) -> Target:
    """The target, at which five deletes wait for a person."""
    Post.objects.bulk_create(Post(title=f"Post {n}", body="B", user_id=n) for n in range(1, 11))
    sync(target)
    Route.objects.filter(target=target).update(max_deletes=2)
    Post.objects.filter(user_id__lte=5).delete()
    sync(target)
    return target


def sync(target: Target) -> Run:
    """One sync of the target, in this process, to its end."""
    return run_here(target)


def come_to_rest(target: Target, rounds: int) -> Run:
    """So many syncs, with enough time between them; fewer once one had nothing to do. Returns the last one."""
    for _ in range(rounds):
        let_time_pass()
        run = sync(target)
        if not run.counts["left"] and not run.counts["requests"]:
            break
    return run


def sync_automatically(target: Target) -> Run:
    """One sync of the target that follows a change: no person asked for it."""
    target.routes.update(trigger="change")
    run = Run.objects.create(target=target, trigger=Run.Trigger.CHANGE)
    work(run)
    return run


@pytest.fixture
def post() -> Post:
    """A post that the target has not heard of."""
    return Post.objects.create(title="A", body="B")


@pytest.fixture
def synced(target: Target, post: Post, remote: Remote) -> Post:
    """A post that the target holds; the remote's journal is empty."""
    sync(target)
    remote.clear_journal()
    return post


@pytest.fixture
def mail(settings):
    """Operators are notified by e-mail."""
    with receivers.mailbox() as box:
        settings.ALERT_EMAILS = ["ops@example.com", "night@example.com"]
        settings.DEFAULT_FROM_EMAIL = "Store <store@example.com>"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        yield box


@pytest.fixture
def hook(settings):
    """Operators are notified by a webhook."""
    with receivers.hook() as hook:
        settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_ALLOW_PRIVATE = hook.url, True
        settings.ALERT_WEBHOOK_SECRET = f"whsec_{HOOK_KEY}"
        yield hook
