"""The ways in which the Fake API may want its clients to sign in."""

import base64
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import jwt

from tests.remote.api import Answer, Call

REFUSED = Answer(401, {"detail": "Sign in."}, {"WWW-Authenticate": "Bearer"})


class Basic:
    """HTTP Basic (RFC 7617)."""

    def __init__(self, user: str, password: str) -> None:
        self.expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def refuse(self, call: Call) -> Answer | None:
        """The answer to a call that is not signed in; None lets it pass."""
        return None if call.headers.get("Authorization") == self.expected else REFUSED


class Header:
    """A secret in a header of its own."""

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value

    def refuse(self, call: Call) -> Answer | None:
        return None if call.headers.get(self.name) == self.value else REFUSED


class Bearer(Header):
    """A fixed token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        super().__init__("Authorization", f"Bearer {token}")


class Tokens:
    """JSON Web Tokens that run out: POST `path` with user name and password, or `path`refresh/ with `{refresh}`.

    `logins` and `refreshes` count what was answered with a token. `names` are those of user name and password in the
    body, and `shape` makes the answer of a token: `lambda token: {"data": {"access_token": token}}`.
    """

    KEY = "the-fake-api-signs-with-this-" * 2

    def __init__(
        self,
        user: str,
        password: str,
        *,
        path: str = "/token/",
        seconds: float = 300,
        names: tuple[str, str] = ("username", "password"),
        status: int = 200,
        shape: Callable[[str], Any] | None = None,
    ) -> None:
        self.path, self.seconds = path, seconds
        self.logins = self.refreshes = 0
        self.status, self.shape = status, shape or self.default_shape
        self._credentials = dict(zip(names, (user, password), strict=True))
        self._numbers = itertools.count(1)
        self._valid: set[str] = set()
        self._lock = threading.Lock()

    def refuse(self, call: Call) -> Answer | None:
        token = call.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._lock:
            return None if token in self._valid and self._claims(token).get("use") == "access" else REFUSED

    def expire(self) -> None:
        """No token given until now is good any longer."""
        with self._lock:
            self._valid.clear()

    def answer(self, call: Call) -> Answer | None:
        """The answer to a call for a token; None if it asks for something else."""
        body = call.body if isinstance(call.body, dict) else {}
        with self._lock:
            if call.method == "POST" and call.path == self.path:
                if refused := self.refuse_login(call):
                    return refused
                self.logins += 1
                return Answer(self.status, self.shape(self._token("access")))
            if call.method == "POST" and call.path == f"{self.path}refresh/":
                if self._claims(str(body.get("refresh"))).get("use") != "refresh" or body["refresh"] not in self._valid:
                    return REFUSED
                self.refreshes += 1
                return Answer(200, {"access": self._token("access")})
        return None

    def refuse_login(self, call: Call) -> Answer | None:
        """The answer to a call for a token with a wrong credential; None if it is right."""
        return None if call.body == self._credentials else REFUSED

    def default_shape(self, access: str) -> Any:
        return {"access": access, "refresh": self._token("refresh")}

    def _token(self, use: str) -> str:
        claims = {"use": use, "jti": next(self._numbers)}
        if use == "access":
            claims["exp"] = time.time() + self.seconds
        token = jwt.encode({**claims, "jti": str(claims["jti"])}, self.KEY, algorithm="HS256")
        self._valid.add(token)
        return token

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(token, self.KEY, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            return {}


class ClientCredentials(Tokens):
    """OAuth 2 client credentials (RFC 6749, section 4.4): as strict as the specification allows."""

    def __init__(self, client: str, secret: str, *, path: str = "/oauth/token", scope: str = "", **more: Any) -> None:
        super().__init__(client, secret, path=path, **more)
        self._basic = (client, secret)
        self._form = {"grant_type": ["client_credentials"], **({"scope": [scope]} if scope else {})}

    def refuse_login(self, call: Call) -> Answer | None:
        scheme, _, pair = call.headers.get("Authorization", "").partition(" ")
        client, _, secret = base64.b64decode(pair).decode().partition(":")
        if scheme != "Basic" or (unquote_plus(client), unquote_plus(secret)) != self._basic:
            return Answer(401, {"error": "invalid_client"}, {"WWW-Authenticate": "Basic"})
        if call.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            return Answer(400, {"error": "invalid_request"})
        form = parse_qs(call.raw.decode(), keep_blank_values=True, strict_parsing=True)
        return None if form == self._form else Answer(400, {"error": "invalid_scope"})

    def default_shape(self, access: str) -> Any:
        return {"access_token": access, "token_type": "Bearer", "expires_in": self.seconds}
