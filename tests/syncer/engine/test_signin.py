"""Signing in to a target. The database holds where a secret is, never the secret."""

import pytest
from django.core.exceptions import ValidationError

from content.news.models import Post
from syncer.models import Attempt, Binding, Run
from tests.remote import Basic, Bearer, Fault, Header, Tokens
from tests.syncer.conftest import sync
from tests.syncer.support import let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "s3cret-that-nobody-should-see"


@pytest.fixture
def secret(monkeypatch):
    monkeypatch.setenv("SYNC_FAKE_API_SECRET", SECRET)
    return "env:SYNC_FAKE_API_SECRET"


@pytest.fixture
def tokens(remote, target, secret):
    """The target gives tokens, and has one post to be sent."""
    remote.require(tokens := Tokens("sync", SECRET, path="/token/"))
    use(target, "jwt", secret, auth_url="/token/")
    return tokens


def use(target, auth, reference, **more):
    for name, value in {"auth": auth, "auth_user": "sync", "auth_secret": reference, **more}.items():
        setattr(target, name, value)
    target.full_clean()
    target.save()
    Post.objects.create(title="A", body="B")


@pytest.mark.parametrize(
    ("auth", "wants", "more"),
    [
        ("basic", Basic("sync", SECRET), {}),
        ("bearer", Bearer(SECRET), {"auth_user": ""}),
        ("header", Header("X-Api-Key", SECRET), {"auth_user": "", "auth_header": "X-Api-Key"}),
        ("jwt", Tokens("sync", SECRET, path="/token/"), {"auth_url": "/token/"}),
    ],
    ids=["basic", "bearer", "header", "jwt"],
)
def test_each_kind_of_sign_in(remote, target, secret, auth, wants, more):
    remote.require(wants)
    use(target, auth, secret, **more)
    assert sync(target).state == "done"
    assert not [attempt for attempt in Attempt.objects.values_list() if SECRET in str(attempt)]


def test_a_secret_in_a_file(remote, target, tmp_path, settings):
    settings.SECRET_REFERENCE_FOLDERS = [str(tmp_path)]
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    remote.require(Bearer(SECRET))
    use(target, "bearer", f"file:{tmp_path}/secret", auth_user="")
    assert sync(target).state == "done"


def test_one_token_serves_many_requests_and_is_renewed_when_it_is_over(remote, target, tokens):
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(20))
    sync(target)
    assert tokens.logins == 1
    tokens.expire()
    Post.objects.create(title="C", body="D")
    assert sync(target).state == "done"
    assert len(remote.posts) == 22


def test_a_token_serves_the_next_run_too(remote, target, tokens):
    sync(target)
    Post.objects.create(title="C", body="D")
    sync(target)
    assert (tokens.logins, len(remote.posts)) == (1, 2)


def test_a_token_of_another_secret_is_not_used(target, tokens, monkeypatch):
    sync(target)
    monkeypatch.setenv("SYNC_FAKE_API_SECRET", "another")
    Post.objects.create(title="C", body="D")
    assert sync(target).message.startswith("Blocked: Fake API answered 401 to the sign-in")


@pytest.mark.parametrize("wants", [Bearer("another"), Tokens("sync", "another", path="/token/")], ids=["bearer", "jwt"])
def test_a_wrong_secret_blocks_the_target(remote, target, secret, wants):
    remote.require(wants)
    kind = {"auth": "bearer", "auth_user": ""} if isinstance(wants, Bearer) else {"auth": "jwt", "auth_url": "/token/"}
    use(target, kind.pop("auth"), secret, **kind)
    assert sync(target).message.startswith("Blocked: Fake API answered 401")
    assert remote.posts == {}


def test_a_missing_secret_blocks_the_target_and_the_message_names_the_cure(target):
    use(target, "bearer", "env:SYNC_NOT_SET_ANYWHERE", auth_user="")
    assert "Set the environment variable SYNC_NOT_SET_ANYWHERE" in sync(target).message


@pytest.mark.parametrize("pasted", [SECRET, "env:", "file:relative", "env:A B", "http://x"])
def test_a_secret_is_not_taken_in_place_of_a_reference(target, pasted):
    target.auth, target.auth_secret = "bearer", pasted
    with pytest.raises(ValidationError, match="Give where the secret is"):
        target.full_clean()


@pytest.mark.parametrize(("auth", "more"), [("basic", {}), ("bearer", {"auth_user": ""})])
def test_a_secret_that_the_target_sends_back_is_not_kept(remote, target, secret, auth, more):
    use(target, auth, secret, **more)
    remote.fault(Fault.STATUS, method="POST", status=422, body={"you sent": [SECRET, f"Bearer {SECRET}"]})
    sync(target)
    kept = [*Attempt.objects.values_list(), *Binding.objects.values_list(), *Run.objects.values_list()]
    assert "***" in str(kept)
    assert SECRET not in str(kept)


@pytest.mark.parametrize("access", [{"said": SECRET}, [SECRET], 5, None, "two\nlines"])
def test_an_answer_without_a_usable_token_blocks_the_target(remote, target, secret, access):
    use(target, "jwt", secret, auth_url="/token/")
    remote.fault(Fault.STATUS, path="/token/", status=200, body={"access": access})
    assert sync(target).message.startswith("Blocked: Fake API answered 200 to the sign-in instead of giving a token")


def test_an_id_that_is_our_own_secret_is_not_stored(remote, target, secret):
    """The create stays unanswered, and the look-up stores it neither."""
    use(target, "bearer", secret, auth_user="")
    remote.fault(Fault.STATUS, method="POST", status=201, body={"id": SECRET})
    assert "with our own secret as the record's id" in sync(target).message
    remote.fault(Fault.STATUS, method="GET", status=200, body=[{"id": SECRET, "userId": 1, "title": "A", "body": "B"}])
    let_time_pass()
    sync(target)
    reason = Binding.objects.get(route__model="news.Post").reason
    assert "listed a record with our own secret as its id" in reason
    assert SECRET not in str([*Attempt.objects.values_list(), *Binding.objects.values_list()])


def test_a_masked_answer_is_read_as_it_came(remote, target, monkeypatch, secret):
    """A secret that is a word of the content must not make a look-up miss the record: it would be made twice."""
    monkeypatch.setenv(secret.removeprefix("env:"), "password")
    use(target, "bearer", secret, auth_user="")
    Post.objects.update(title="The password of the month")
    remote.fault(Fault.STATUS, method="POST", status=500, act=True)
    sync(target)
    let_time_pass()
    assert sync(target).state == "done"
    assert len(remote.posts) == 1
    assert "The *** of the month" in Attempt.objects.filter(action="lookup").latest("pk").answer


@pytest.mark.parametrize("secret_text", ["two\nlines", "naïve", " s3cret", "s3cret "])
def test_a_secret_that_no_header_can_carry_blocks_the_target_and_is_not_shown(target, monkeypatch, secret, secret_text):
    monkeypatch.setenv(secret.removeprefix("env:"), secret_text)
    use(target, "bearer", secret, auth_user="")
    message = sync(target).message
    assert "no header can carry" in message
    assert secret_text not in message
