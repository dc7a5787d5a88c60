"""Signing in to a target. Secrets are read when they are used, and kept in memory only.

A token outlives the run that fetched it: checking a password costs the target more than most requests, and runs that
follow changes are short. An answer of 401 shows that the token has expired.
"""

import base64
import hashlib
import threading
from urllib.parse import urljoin

from backoffice.kit import references
from backoffice.kit.http import Client, NotSentError, Request
from backoffice.kit.masking import Mask
from syncer.core.answers import UnreadableError, read_json
from syncer.models import Target


class SignInRefusedError(Exception):
    """The credential does not work. The message is a predicate to follow the target's name."""


class SignInBusyError(NotSentError):
    """The sign-in got 429 or a server error, so the request was not sent."""

    def __init__(self, status: int, retry_after: str) -> None:
        super().__init__(f"answered {status} to the sign-in")
        self.status, self.retry_after = status, retry_after


def is_sendable(secret: str) -> bool:
    """Return whether a header can carry the secret: printable ASCII, with no space around it."""
    return secret.isascii() and secret.isprintable() and secret == secret.strip()


# Of this process, by `Target.account` and a digest of the secret.
_tokens: dict[tuple[str, str], str] = {}


class SignIn:
    """The headers that sign a request; safe to use from several threads, which use no row."""

    def __init__(self, target: Target, client: Client) -> None:
        self._kind, self._account = target.auth, target.account
        self._user, self._reference, self._header = target.auth_user, target.auth_secret, target.auth_header
        self._token_url = urljoin(target.url, target.auth_url)
        self._client = client
        self._lock = threading.Lock()
        self._used: frozenset[str] = frozenset()
        self._adding = threading.Lock()

    @property
    def mask(self) -> Mask:
        """The mask that hides every secret used to sign in so far, including older tokens."""
        return Mask(self._used)

    @property
    def can_renew(self) -> bool:
        """Whether a 401 may only mean that the token has expired."""
        return self._kind == Target.Auth.JWT

    def headers(self) -> dict[str, str]:
        """Return the headers to add to a request, fetching a token if none is kept.

        Raises:
            SignInRefusedError: the credential is missing or wrong.
            HttpError: no token could be fetched; whatever the class, the request itself was not sent.
        """
        if self._kind == Target.Auth.NONE:
            return {}
        if self._kind == Target.Auth.JWT:
            return {"Authorization": f"Bearer {self._current_token()}"}
        secret = self._secret()
        if self._kind == Target.Auth.BASIC:
            pair = self._use(base64.b64encode(f"{self._user}:{secret}".encode()).decode())
            return {"Authorization": f"Basic {pair}"}
        if self._kind == Target.Auth.BEARER:
            return {"Authorization": f"Bearer {secret}"}
        return {self._header: secret}

    def forget(self, headers: dict[str, str]) -> None:
        """Drop the token in `headers`, which was refused, unless another thread has replaced it already."""
        with self._lock:
            key = self._key(self._secret())
            if headers.get("Authorization") == f"Bearer {_tokens.get(key)}":
                _tokens.pop(key, None)

    def _current_token(self) -> str:
        secret = self._secret()
        with self._lock:
            key = self._key(secret)
            token = _tokens[key] = _tokens.get(key) or self._fetch(secret)
            return self._use(token)

    def _key(self, secret: str) -> tuple[str, str]:
        return self._account, hashlib.sha256(secret.encode()).hexdigest()

    def _fetch(self, secret: str) -> str:
        """Fetch the access token of simplejwt's exchange: `{username, password}` → `{access, refresh}`."""
        body = {"username": self._user, "password": secret}
        answer = self._client.send(Request(method="POST", url=self._token_url, body=body))
        if answer.status == 429 or answer.status >= 500:
            raise SignInBusyError(answer.status, answer.headers.get("retry-after", ""))
        try:
            token = read_json(answer.body)["access"] if answer.status == 200 else ""
        except (UnreadableError, KeyError, TypeError):
            token = ""
        if not (isinstance(token, str) and token and is_sendable(token)):
            raise SignInRefusedError(f"answered {answer.status} to the sign-in instead of giving a token")
        return token

    def _secret(self) -> str:
        """Resolve the reference to the secret.

        Raises:
            SignInRefusedError: the secret is missing, or no header can carry it.
        """
        try:
            secret = references.resolve(self._reference)
        except references.UnresolvedError as error:
            raise SignInRefusedError(f"needs a secret that is not there: {error}") from error
        if not is_sendable(secret):
            raise SignInRefusedError(
                "has a secret that no header can carry: it holds a line break or a letter beyond ASCII, "
                "or a space before or after it"
            )
        return self._use(secret)

    def _use(self, secret: str) -> str:
        """Add the secret to those that `mask` hides, and return it."""
        with self._adding:
            self._used |= {secret}
        return secret
