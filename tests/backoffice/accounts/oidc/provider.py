"""A provider of OpenID Connect on loopback: code flow with PKCE. It signs in whoever `person` says, without a page."""

import base64
import json
import secrets
import time
from functools import cached_property
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "backoffice", "s3cret of the client"


class Provider:
    """Attributes let a test make it lie.

    Attributes:
        person: the claims about whoever signs in.
        token_claims: claims of the ID token that differ from the right ones; None leaves one out.
        only_userinfo: tell the person's claims, but for `sub`, at the userinfo endpoint alone.
        signer: the key that signs; another than `key` is forged.
        metadata: entries of the metadata that differ.
    """

    key = RSAKey.generate_key(2048, {"kid": "one"})

    def __init__(self) -> None:
        self.person: dict[str, Any] = {"sub": "248289761001", "preferred_username": "editor"}
        self.token_claims: dict[str, Any] = {}
        self.userinfo_claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.only_userinfo = False
        self.signer, self.algorithm = self.key, "RS256"
        self.codes: dict[str, dict[str, str]] = {}
        self.refusals: list[str] = []

    def __enter__(self) -> "Provider":
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"provider": self}))
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @cached_property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/realm/"

    def sign_in(self, url: str) -> str:
        """What the browser does with the redirect to the provider; returns the address that it is sent back to."""
        assert url.startswith(f"{self.issuer}authorize?")
        asked = dict(parse_qsl(urlsplit(url).query))
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        code = secrets.token_hex(8)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    # --- what its addresses answer -----------------------------------------------------------------------------------
    def describe(self) -> dict[str, Any]:
        names = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        endpoints = {f"{name}_endpoint": self.issuer + path for name, path in names.items()}
        return {"issuer": self.issuer, "jwks_uri": self.issuer + "jwks", **endpoints, **self.metadata}

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer to a token request; None refuses it."""
        asked = self.codes.pop(form.get("code", ""), None)
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        checks = {
            "code": asked is not None,
            "client": authorization == expected,
            "verifier": asked is not None and challenge.decode() == asked["code_challenge"],
            "redirect": asked is not None and form.get("redirect_uri") == asked["redirect_uri"],
        }
        self.refusals += [name for name, is_right in checks.items() if not is_right]
        if asked is None or self.refusals:
            return None
        now = int(time.time())
        person = {"sub": self.person["sub"]} if self.only_userinfo else self.person
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **person}
        claims = {name: value for name, value in {**claims, **self.token_claims}.items() if value is not None}
        header = {"alg": self.algorithm, "kid": "one"}
        signed = jwt.encode(header, claims, self.signer, algorithms=[self.algorithm])
        return {"access_token": "access", "token_type": "Bearer", "id_token": signed}


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def log_message(self, *_: object) -> None: ...

    def answer(self, body: Any, status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        provider = self.provider
        match self.path.removeprefix("/realm/"):
            case ".well-known/openid-configuration":
                self.answer(provider.describe())
            case "jwks":
                self.answer({"keys": [provider.key.as_dict(private=False)]})
            case "userinfo" if self.headers["Authorization"] == "Bearer access":
                self.answer({**provider.person, **provider.userinfo_claims})
            case _:
                self.answer({}, 404)

    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        token = self.provider.token(form, self.headers.get("Authorization", ""))
        self.answer(token or {"error": "invalid_grant"}, 200 if token else 400)
