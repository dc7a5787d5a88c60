"""Signing in to a target. Secrets are read when they are used, and kept in memory only.

A token outlives the run that fetched it: checking a password costs the target more than most requests, and runs that
follow changes are short. An answer of 401 shows that the token has expired.
"""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import quote_plus, urlencode, urljoin, urlsplit

from backoffice.kit import references
from backoffice.kit.http import Answer, Client, HttpError, NotSentError, Request
from backoffice.kit.masking import Mask
from backoffice.kit.phrases import message_of, phrase
from syncer.core.answers import UnreadableError, read_json
from syncer.models import Target
from syncer.models.request_defaults import is_sendable


class SignInRefusedError(Exception):
    """The credential does not work. The message is a phrase that continues the target's name."""


class SignInBusyError(NotSentError):
    """The sign-in can't be used now, so the request was not sent."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.status, self.retry_after = answer.status, answer.headers.get("retry-after", "")


# An answer with one of these, or of 5xx, says nothing about the credential: it may come from a gateway in front.
NOT_NOW = (404, 405, 408, 421, 425, 429)
OAUTH_ERRORS = (  # RFC 6749, section 5.2
    *("invalid_request", "invalid_client", "invalid_grant"),
    *("unauthorized_client", "unsupported_grant_type", "invalid_scope"),
)
NAME = re.compile(r"[A-Za-z_-]{1,32}\d?")  # of a value in an answer, as messages show it: a token looks different

# Of this process, by `Target.account` and a digest of the secret.
_tokens: dict[tuple[str, str], str] = {}


class SignIn:
    """The headers that sign a request."""

    def __init__(self, target: Target, client: Client) -> None:
        self._kind, self._account = target.auth, target.account
        self._user, self._reference, self._header = target.auth_user, target.auth_secret, target.auth_header
        self._token_url, self._scope = urljoin(target.url, target.auth_url), target.auth_scope
        self._token_path = target.auth_token or ("access_token" if self._kind == Target.Auth.OAUTH2 else "access")
        self._names = (target.auth_names or "username, password").replace(" ", "").split(",")
        host = urlsplit(self._token_url).netloc
        is_here = host == urlsplit(target.url).netloc
        self._the_sign_in = phrase("the sign-in") if is_here else phrase("the sign-in at %(host)s", host=host)
        self._client = client
        self._used: frozenset[str] = frozenset()

    @property
    def mask(self) -> Mask:
        """The mask that hides every secret used to sign in so far, including older tokens."""
        return Mask(self._used)

    @property
    def can_renew(self) -> bool:
        """Whether a 401 may only mean that the token has expired."""
        return self._kind in (Target.Auth.JWT, Target.Auth.OAUTH2)

    def headers(self) -> dict[str, str]:
        """Return the headers to add to a request, fetching a token if none is kept.

        Raises:
            SignInRefusedError: the credential is missing or wrong.
            HttpError: no token could be fetched; whatever the class, the request itself was not sent.
        """
        if self._kind == Target.Auth.NONE:
            return {}
        if self.can_renew:
            return {"Authorization": f"Bearer {self._current_token()}"}
        secret = self._secret()
        if self._kind == Target.Auth.BASIC:
            pair = self._use(base64.b64encode(f"{self._user}:{secret}".encode()).decode())
            return {"Authorization": f"Basic {pair}"}
        if self._kind == Target.Auth.BEARER:
            return {"Authorization": f"Bearer {secret}"}
        return {self._header: secret}

    def forget(self, headers: dict[str, str]) -> None:
        """Drop the token in `headers`, which was refused, unless it was replaced already."""
        key = self._key(self._secret())
        if headers.get("Authorization") == f"Bearer {_tokens.get(key)}":
            _tokens.pop(key, None)

    def _current_token(self) -> str:
        secret = self._secret()
        key = self._key(secret)
        token = _tokens[key] = _tokens.get(key) or self._fetch(secret)
        return self._use(token)

    def _key(self, secret: str) -> tuple[str, str]:
        return self._account, hashlib.sha256(secret.encode()).hexdigest()

    def _fetch(self, secret: str) -> str:
        try:
            answer = self._client.send(self._token_request(secret))
        except HttpError as error:
            raise type(error)(
                phrase("gave no token: %(sign_in)s %(why)s", sign_in=self._the_sign_in, why=error.why), slow=error.slow
            ) from error
        answered = phrase("answered %(status)s to %(sign_in)s", status=answer.status, sign_in=self._the_sign_in)
        try:
            content, is_json = read_json(answer.body), True
        except UnreadableError:
            content, is_json = None, False
        if answer.status in NOT_NOW or answer.status >= 500:
            asks = phrase("%(answered)s (is its address right?)", answered=answered)
            raise SignInBusyError(asks if answer.status in (404, 405) else answered, answer)
        if not is_json and answer.status not in (400, 401):
            raise SignInBusyError(phrase("%(answered)s with something that is not JSON", answered=answered), answer)
        if not 200 <= answer.status < 300:
            code = content.get("error") if isinstance(content, dict) else None
            code = code if code in OAUTH_ERRORS else ""
            raise SignInRefusedError(phrase("%(answered)s instead of giving a token", answered=answered, quoted=code))
        return self._token(content, answered)

    def _token_request(self, secret: str) -> Request:
        """Return the request for a token: user name and password as JSON, or as RFC 6749, section 4.4, describes."""
        if self._kind == Target.Auth.JWT:
            user, password = self._names
            return Request(method="POST", url=self._token_url, body={user: self._user, password: secret})
        # Section 2.3.1: both are encoded before they are joined.
        pair = f"{quote_plus(self._user)}:{quote_plus(secret)}"
        basic = self._use(base64.b64encode(pair.encode()).decode())
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        return Request(method="POST", url=self._token_url, body=urlencode(form).encode(), headers=headers)

    def _token(self, content: Any, answered: str) -> str:
        """Return the token in an answer; an answer that is only a text is the token.

        Raises:
            SignInRefusedError: there is no token, or none that can be sent as a bearer token (RFC 6750).
        """
        value, where = content, ""
        holder: dict[str, Any] = {}
        for name in self._token_path.split(".") if not isinstance(content, str) else ():
            if not isinstance(value, dict) or name not in value:
                names = [where + key for key in value if NAME.fullmatch(key)] if isinstance(value, dict) else []
                has = self.mask.hide(", ".join(names[:10])) or "no names"
                why = phrase(
                    "%(answered)s, but has no %(path)s; it has: %(names)s. Set the path of the token",
                    answered=answered,
                    path=self._token_path,
                    names=has,
                )
                raise SignInRefusedError(why)
            holder, value, where = value, value[name], f"{where}{name}."
        if not (isinstance(value, str) and value and is_sendable(value)):
            raise SignInRefusedError(
                phrase("%(answered)s instead of giving a token that a header can carry", answered=answered)
            )
        if self._kind == Target.Auth.OAUTH2 and str(holder.get("token_type", "bearer")).lower() != "bearer":
            raise SignInRefusedError(
                phrase("%(answered)s with a token of another type than bearer, which can't be used", answered=answered)
            )
        return value

    def _secret(self) -> str:
        """Resolve the reference to the secret.

        Raises:
            SignInRefusedError: the secret is missing, or no header can carry it.
        """
        try:
            secret = references.resolve(self._reference)
        except references.UnresolvedError as error:
            raise SignInRefusedError(
                phrase("needs a secret that is not there: %(why)s", why=message_of(error))
            ) from error
        if not is_sendable(secret):
            raise SignInRefusedError(
                phrase(
                    "has a secret that no header can carry: it holds a line break or a letter beyond ASCII, "
                    "or a space before or after it"
                )
            )
        return self._use(secret)

    def _use(self, secret: str) -> str:
        """Add the secret to those that `mask` hides, and return it."""
        self._used |= {secret}
        return secret
