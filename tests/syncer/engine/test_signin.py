"""Signing in to a target. The database holds where a secret is, never the secret."""

import base64

import pytest
from django.core.exceptions import ValidationError

from content.news.models import Post
from syncer.models import Attempt, Binding, Route, Run, Target
from tests.backoffice.raw_server import raw_server, says
from tests.remote import Basic, Bearer, ClientCredentials, Fault, Header, Remote, Tokens
from tests.syncer.conftest import sync
from tests.syncer.support import let_time_pass
from tools.servers import free_port

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
        ("oauth2", ClientCredentials("sync", SECRET), {"auth_url": "/oauth/token"}),
        ("oauth2", ClientCredentials("sync", SECRET, scope="a b"), {"auth_url": "/oauth/token", "auth_scope": "a b"}),
        (
            *("jwt", Tokens("sync", SECRET, names=("email", "password"), shape=lambda token: {"data": {"t": token}})),
            {"auth_url": "/token/", "auth_token": "data.t", "auth_names": "email, password"},
        ),
    ],
    ids=["basic", "bearer", "header", "jwt", "oauth2", "oauth2 with a scope", "jwt with names of its own"],
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


def test_a_client_s_token_is_renewed_too_when_it_is_over(remote, target, secret):
    remote.require(tokens := ClientCredentials("sync", SECRET))
    use(target, "oauth2", secret, auth_url="/oauth/token")
    sync(target)
    tokens.expire()
    Post.objects.create(title="C", body="D")
    assert sync(target).state == "done"
    assert (tokens.logins, len(remote.posts)) == (2, 2)


def test_client_id_and_secret_are_encoded_before_they_are_joined(remote, target, secret, monkeypatch):
    monkeypatch.setenv(secret.removeprefix("env:"), "p%41+: /&=~")
    remote.require(ClientCredentials("a:b c%+", "p%41+: /&=~"))
    use(target, "oauth2", secret, auth_user="a:b c%+", auth_url="/oauth/token")
    assert sync(target).state == "done"
    # RFC 6749, section 4.4.2
    assert remote.journal[0].raw == b"grant_type=client_credentials"
    pair = base64.b64decode(remote.journal[0].headers["Authorization"].removeprefix("Basic "))
    assert pair == b"a%3Ab+c%25%2B:p%2541%2B%3A+%2F%26%3D~"


ANSWERS_WITH_A_TOKEN = {
    "under another name": ("jwt", "token", 200, lambda token: {"token": token}),
    "201": ("jwt", "", 201, lambda token: {"access": token}),
    "202": ("oauth2", "", 202, lambda token: {"access_token": token}),
    "without its type": ("oauth2", "", 200, lambda token: {"access_token": token}),
    "type in capitals": ("oauth2", "", 200, lambda token: {"access_token": token, "token_type": "BEARER"}),
    "nested": ("oauth2", "a.b.c", 200, lambda token: {"a": {"b": {"c": token, "token_type": "bearer"}}}),
    "only a text": ("jwt", "", 200, lambda token: token),
}


@pytest.mark.parametrize(("auth", "path", "status", "shape"), ANSWERS_WITH_A_TOKEN.values(), ids=ANSWERS_WITH_A_TOKEN)
def test_any_answer_with_a_token(remote, target, secret, auth, path, status, shape):
    kind = Tokens if auth == "jwt" else ClientCredentials
    remote.require(kind("sync", SECRET, path="/token/", status=status, shape=shape))
    use(target, auth, secret, auth_url="/token/", auth_token=path)
    assert sync(target).state == "done"
    assert len(remote.posts) == 1


ANSWERS_WITHOUT = {
    "another name": (
        "jwt",
        "",
        200,
        {"data": {}, "meta": {}},
        ", but has no access; it has: data, meta. Set the path of",
    ),
    "nested": (
        "jwt",
        "data.access",
        200,
        {"data": {"token": 1}},
        ", but has no data.access; it has: data.token. Set the",
    ),
    "not nested": ("jwt", "data.access", 200, {"data": "x"}, ", but has no data.access; it has: no names. Set the"),
    "no body": ("oauth2", "", 204, None, ", but has no access_token; it has: no names. Set the path of the token"),
    "a list": (
        "oauth2",
        "",
        200,
        [{"access_token": "x"}],
        ", but has no access_token; it has: no names. Set the path",
    ),
    "nothing": ("oauth2", "", 200, {}, ", but has no access_token; it has: no names. Set the path of the token"),
    "another type": (
        "oauth2",
        "",
        200,
        {"access_token": "x", "token_type": "mac"},
        " with a token of another type than",
    ),
    "a client's fault": ("oauth2", "", 400, {"error": "invalid_scope"}, " instead of giving a token: invalid_scope"),
    "another fault": ("oauth2", "", 400, {"error": SECRET}, " instead of giving a token. Put it right"),
    "a text": ("oauth2", "", 401, "No.", " instead of giving a token. Put it right"),
    "forbidden": ("jwt", "", 403, {"detail": "No."}, " instead of giving a token. Put it right"),
    "moved": ("jwt", "", 307, {}, " instead of giving a token. Put it right"),
    "an empty text": ("jwt", "", 200, " ", " instead of giving a token that a header can carry. Put it right"),
}


@pytest.mark.parametrize(("auth", "path", "status", "body", "reason"), ANSWERS_WITHOUT.values(), ids=ANSWERS_WITHOUT)
def test_an_answer_without_a_token_blocks_the_target_and_the_message_names_the_cure(
    remote, target, secret, auth, path, status, body, reason
):
    use(target, auth, secret, auth_url="/token/", auth_token=path)
    remote.fault(Fault.STATUS, path="/token/", status=status, body=body, times=None)
    assert sync(target).message.startswith(f"Blocked: Fake API answered {status} to the sign-in{reason}")
    assert remote.posts == {}


def test_a_refusal_of_the_credential_with_a_page_for_people_blocks_the_target(remote, target, tokens):
    remote.fault(Fault.HTML, path="/token/", status=401)
    assert sync(target).message.startswith("Blocked: Fake API answered 401 to the sign-in instead of giving a token.")


def test_client_id_and_secret_as_they_were_joined_are_not_kept(remote, target, secret, monkeypatch):
    monkeypatch.setenv(secret.removeprefix("env:"), "+/+/+/+/+/+/")
    use(target, "oauth2", secret, auth_url="/oauth/token")
    remote.require(ClientCredentials("sync", "+/+/+/+/+/+/"))
    pair = base64.b64encode(b"sync:" + b"%2B%2F" * 6).decode()
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=422, body={"said": pair})
    sync(target)
    assert remote.journal[0].headers["Authorization"] == f"Basic {pair}"
    assert "***" in Attempt.objects.get().answer
    assert pair not in str([*Attempt.objects.values_list(), *Binding.objects.values_list()])


def test_the_names_in_an_answer_are_shown_without_secrets(remote, target, secret, monkeypatch):
    monkeypatch.setenv(secret.removeprefix("env:"), "of-letters")
    use(target, "jwt", secret, auth_url="/token/")
    token = "eyJhbGciOiJIUzI1NiJ9"
    remote.fault(Fault.STATUS, path="/token/", status=200, body={"of-letters": 1, token: 2, "x" * 33: 3, "data": 4})
    assert "but has no access; it has: ***, data. Set" in sync(target).message


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            {"kind": Fault.STATUS, "status": 404},
            "answered 404 to the sign-in (is its address right?); 1 change is kept",
        ),
        (
            {"kind": Fault.STATUS, "status": 405},
            "answered 405 to the sign-in (is its address right?); 1 change is kept",
        ),
        ({"kind": Fault.HTML}, "answered 200 to the sign-in with something that is not JSON; 1 change is kept"),
        ({"kind": Fault.HTML, "status": 403}, "answered 403 to the sign-in with something that is not JSON; 1 change"),
        ({"kind": Fault.STATUS, "status": 502}, "answered 502 to the sign-in; 1 change is kept"),
        ({"kind": Fault.RESET}, "gave no token: the sign-in closed the connection before it answered; 1 change"),
    ],
    ids=["404", "405", "a page", "a forbidding page", "502", "no answer"],
)
def test_a_gateway_in_front_of_the_sign_in_blocks_nothing(remote, target, tokens, fault, message):
    remote.fault(path="/token/", **fault)
    assert sync(target).message.startswith(f"Fake API {message}")
    let_time_pass()
    assert sync(target).state == "done"


# --- a sign-in on another host ---------------------------------------------------------------------------------------
@pytest.fixture
def provider():
    """An identity provider on a host of its own."""
    with Remote() as provider:
        yield provider


def test_a_token_from_another_host(remote, target, secret, provider):
    tokens = ClientCredentials("sync", SECRET)
    remote.require(tokens)
    provider.require(tokens)
    use(
        target,
        "oauth2",
        secret,
        auth_url=f"{provider.url}/oauth/token",
        headers={"User-Agent": "Shop/7"},
        query={"a": 1},
    )
    assert sync(target).state == "done"
    [signed] = provider.journal
    assert (signed.path, signed.query, signed.headers["User-Agent"] == "Shop/7") == ("/oauth/token", {}, False)
    assert "/oauth/token" not in [entry.path for entry in remote.journal]


def test_a_secret_that_another_host_sends_back_is_not_kept(target, secret, provider):
    use(target, "oauth2", secret, auth_url=f"{provider.url}/oauth/token")
    pair = base64.b64encode(f"sync:{SECRET}".encode()).decode()
    provider.fault(Fault.STATUS, status=200, body={"said": pair, pair: SECRET})
    message = sync(target).message
    assert f"answered 200 to the sign-in at 127.0.0.1:{provider.port}, but has no access_token; it has: said" in message
    kept = str([*Attempt.objects.values_list(), *Binding.objects.values_list(), *Run.objects.values_list()])
    assert SECRET not in kept
    assert pair not in kept


def test_a_sign_in_at_a_private_address_is_not_contacted_unless_that_is_allowed(target, secret, settings):
    with raw_server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as server:
        url = f"https://127.0.0.1:{server.port}/token"
        use(target, "oauth2", secret, auth_url=url, url="https://api.invalid")
        settings.PRIVATE_NETWORKS = []
        message = sync(target).message
    assert f"gave no token: the sign-in at 127.0.0.1:{server.port} is at 127.0.0.1, a private address" in message
    assert message.startswith("Blocked: ")
    assert server.heard == []


def test_a_provider_that_is_down_does_not_block_the_target(target, secret):
    port = free_port()
    use(target, "oauth2", secret, auth_url=f"http://127.0.0.1:{port}/token")
    message = f"Fake API gave no token: the sign-in at 127.0.0.1:{port} refused the connection; 1 change is kept"
    assert sync(target).message.startswith(message)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("url", "https://other.example"),
        ("auth", "jwt"),
        ("auth_user", "b"),
        ("auth_secret", "env:SYNC_B"),
        ("auth_url", "/b"),
        ("auth_scope", "b"),
        ("headers", {"Stripe-Account": "b"}),
        ("query", {"site": 2}),
    ],
)
def test_an_account_is_chosen_by_all_that_a_request_names_it_by(column, value):
    """A target remembers keys per account: sent to another one, a create under its key could be carried out again."""
    target = Target(url="https://a.example", auth="oauth2", auth_user="a", auth_secret="env:SYNC_A", auth_url="/a")
    target.headers, target.query = {"Stripe-Account": "a", "Accept": "*/*"}, {"site": 1, "v": 1}
    account = target.account
    target.headers, target.query = dict(reversed(target.headers.items())), dict(reversed(target.query.items()))
    assert target.account == account, "JSON has no order"
    setattr(target, column, value)
    assert target.account != account


# --- what is sent with every request ---------------------------------------------------------------------------------
def test_headers_and_parameters_of_the_target_go_with_every_request_but_the_sign_in(remote, target, tokens):
    target.headers = {"Accept": "application/vnd.api+json", "content-type": "application/vnd.api+json; ext=bulk"}
    target.query = {"api-version": "2026-01-01", "site": 7, "strict": True, "tax": 0.5}
    target.full_clean()
    target.save()
    post = Post.objects.get()
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=500, act=True)
    for change in (lambda: None, lambda: None, lambda: Post.objects.filter(pk=post.pk).update(title="B"), post.delete):
        change()
        sync(target)
        let_time_pass()
    signed_in, *others = remote.journal
    assert {entry.method for entry in others} == {"GET", "POST", "PUT", "DELETE"}
    for entry in others:
        assert entry.headers["Accept"] == "application/vnd.api+json"
        assert {**entry.query, "api-version": "2026-01-01", "site": "7", "strict": "true", "tax": "0.5"} == entry.query
        expected = "application/vnd.api+json; ext=bulk" if entry.method in ("POST", "PUT") else None
        assert entry.headers.get("Content-Type") == expected
    assert (signed_in.query, signed_in.headers["Accept"]) == ({}, "application/json")


def test_a_parameter_of_the_target_is_not_added_twice_to_the_address_of_a_next_page(remote, target):
    """The server puts it there itself."""
    target.query = {"cursor": "0", "site": 7}
    target.save()
    Post.objects.bulk_create(Post(title=f"T{number}", body="B") for number in range(3))
    sync(target)
    remote.page(2, address=True)
    remote.store.filters = False
    Route.objects.update(items_field="items", next_field="next")
    remote.fault(Fault.STATUS, method="POST", path="/posts", status=500)
    Post.objects.create(title="D", body="B")
    for _ in range(2):
        sync(target)
        let_time_pass()
    pages = [entry.query for entry in remote.journal if entry.method == "GET"]
    assert {query["cursor"] for query in pages} > {"0"}
    assert len(remote.posts) == 4


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
