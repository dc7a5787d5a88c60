"""Who the provider says a person is. All requests to it go by the one HTTP client, within its bounds."""

import time
from functools import lru_cache
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import DjangoIntegration, DjangoOAuth2App, OAuthError
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from joserfc.errors import JoseError
from requests.adapters import BaseAdapter

from backoffice.accounts.oidc.models import SUBJECT_LENGTH
from backoffice.kit.http import Client, HttpError, Request

Claims = dict[str, Any]  # OpenID Connect Core 1.0, section 5.1
CLIENT = Client(timeout=10)
METADATA_SECONDS = 60 * 60  # that the provider's metadata and keys are kept for
LEEWAY = 60  # seconds that the provider's clock may be wrong by
# What a provider that is away, hostile or set up wrongly can make Authlib raise.
FAULTS = (AuthlibBaseError, JoseError, HttpError, requests.RequestException, RuntimeError, ValueError, LookupError)


class ProviderError(Exception):
    """The provider could not be asked, or its answer proves nothing; the message is for the log."""


def authorization_redirect(request: HttpRequest, callback: str) -> HttpResponse:
    """Return the redirect to the provider, which sends the person on to `callback`.

    Raises:
        ProviderError: its metadata could not be read.
    """
    try:
        response: HttpResponse = _app().authorize_redirect(request, callback)
    except FAULTS as error:
        raise ProviderError(_text(error)) from None
    return response


def claims_of(request: HttpRequest) -> Claims:
    """Return what the provider says of whoever comes back from it with `request`.

    Raises:
        ProviderError: it says nothing, or not to this session, or it is not proven.
    """
    app = _app()
    options = {
        "iss": {"essential": True, "values": [settings.OIDC_ISSUER]},
        "aud": {"essential": True, "values": [settings.OIDC_CLIENT_ID]},
    }
    try:
        token = app.authorize_access_token(request, claims_options=options, leeway=LEEWAY)
        if "userinfo" not in token:
            raise ProviderError("The token answer has no ID token.")
        claims = dict(token["userinfo"])
        if settings.OIDC_NAME_CLAIM not in claims and "userinfo_endpoint" in app.load_server_metadata():
            more = dict(app.userinfo(token=token))
            # OpenID Connect Core 1.0, section 5.3.2: otherwise it may be about somebody else.
            claims = {**more, **claims} if more.get("sub") == claims["sub"] else claims
    except FAULTS as error:
        raise ProviderError(_text(error)) from None
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= SUBJECT_LENGTH:
        raise ProviderError("The ID token names nobody.")
    return claims


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _app() -> "_App":
    return _app_of(
        settings.OIDC_ISSUER,
        settings.OIDC_CLIENT_ID,
        settings.OIDC_CLIENT_SECRET,
        " ".join(settings.OIDC_SCOPES),
        int(time.time()) // METADATA_SECONDS,
    )


@lru_cache(maxsize=2)
def _app_of(issuer: str, client_id: str, client_secret: str, scope: str, _period: int) -> "_App":
    return _App(
        DjangoIntegration("oidc"),
        name="oidc",
        client_id=client_id,
        client_secret=client_secret,
        client_kwargs={"scope": scope, "code_challenge_method": "S256"},
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
    )


class _Bounded(BaseAdapter):
    """Carries Authlib's requests by our client: allowed addresses only, bounded in time and size."""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        body = request.body.encode() if isinstance(request.body, str) else request.body
        sent = Request(method=str(request.method), url=str(request.url), headers=dict(request.headers), body=body)
        answer = CLIENT.send(sent)
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, sent.url, request
        response.headers.update(answer.headers)
        response._content = answer.body
        return response

    def close(self) -> None:
        """Its connections are the client's."""


class _Session(OAuth2Session):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trust_env = False
        self.max_redirects = 0
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Bounded())


class _App(DjangoOAuth2App):  # type: ignore[misc]
    client_cls = _Session

    def load_server_metadata(self) -> Any:
        """Return the metadata, of the issuer that was asked and no other: OpenID Connect Discovery 1.0, section 4.3."""
        metadata = super().load_server_metadata()
        if metadata.get("issuer") != settings.OIDC_ISSUER:
            raise OAuthError(description=f"The provider says that its issuer is {metadata.get('issuer')!r}.")
        return metadata
