"""Reading the environment that `settings` is driven by."""

import base64
import warnings
from collections.abc import Callable
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from environ.fileaware_mapping import FileAwareMapping

from backoffice.kit.addresses import check_url

SAMPLE_SECRETS = ("change-me", "changeme", "secret", "django-insecure")
SECRET_KEY_MIN_LENGTH = 40  # characters
SIGNING_KEY_MIN_LENGTH = 24  # bytes; Standard Webhooks asks for 24 to 64
PERIODS = {"second": 1, "minute": 60, "hour": 60 * 60, "day": 24 * 60 * 60}  # seconds


MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 587, "smtp+ssl": 465}


class Environment(FileAwareMapping):  # type: ignore[misc]
    """The variables of the process. `NAME_FILE` may name a file that holds the value of `NAME`."""

    def __getitem__(self, name: str) -> str:
        """Return the value without its final newline.

        Raises:
            ImproperlyConfigured: the file can't be read.
            KeyError: neither variable is set.
        """
        try:
            return str(super().__getitem__(name)).rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "It is not UTF-8 text"
            raise ImproperlyConfigured(
                f"{name}_FILE names {self.env[f'{name}_FILE']}, which can't be read: {reason}."
            ) from None


class Env(environ.Env):  # type: ignore[misc]
    """Reads the environment, each kind of value by a method that says what is wrong with it."""

    ENVIRON = Environment(cache=False)  # the library's own cache outlives a change of the environment

    def text(self, name: str, default: str = "") -> str:
        """Return the value as it is; `str` takes one that begins with "$" for the name of another variable."""
        return str(self.ENVIRON.get(name, default))

    def address(self, name: str) -> str:
        """The http(s) address that `NAME` gives, without a final slash; empty: none.

        Raises:
            ImproperlyConfigured: it is none, or holds more than scheme, host, port and path.
        """
        url = str(self.str(name, default="")).rstrip("/")
        if url and (wrong := _wrong_with(url)):
            quoted = "" if "@" in url else f" is {url!r}"
            raise ImproperlyConfigured(f"{name}{quoted}: {wrong}")
        return url

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Django's `DATABASES` entry by `postgres://USER:PASSWORD@HOST:5432/NAME`.

        Raises:
            ImproperlyConfigured: it is none. What it is is not quoted: it may hold the password.
        """
        return self._by_address(name, default, self.db_url_config, "postgres://USER:PASSWORD@HOST:5432/NAME")

    def cache(self, name: str, default: str) -> dict[str, Any]:
        """Django's `CACHES` entry by `redis://:PASSWORD@HOST:6379/0`. Raises ImproperlyConfigured, as `database`."""
        return self._by_address(name, default, self.cache_url_config, "redis://:PASSWORD@HOST:6379/0")

    def _by_address(self, name: str, default: str, read: Callable[[str], dict[str, Any]], like: str) -> dict[str, Any]:
        url = self.text(name, default)
        try:
            with warnings.catch_warnings(action="ignore"):  # they quote it
                found = read(url)
        except (ValueError, LookupError, ImproperlyConfigured):
            found = {}
        if not {"ENGINE", "BACKEND"} & found.keys() or "#" in url:
            raise ImproperlyConfigured(
                f"{name} is no such address as {like}. In user name and password signs are percent-encoded: %2F."
            ) from None
        return found

    def hook(self, name: str) -> str:
        """The http(s) address that `NAME` gives, as it is; empty: none. Some are secrets, so none is quoted.

        Raises:
            ImproperlyConfigured: as for `address`.
        """
        url = self.text(name)
        if url and (wrong := _wrong_with(url)):
            raise ImproperlyConfigured(f"{name}: {wrong}")
        return url

    def signing_secret(self, name: str) -> str:
        """Return the secret of Standard Webhooks that `NAME` gives, `whsec_` and base64, or an empty text.

        Raises:
            ImproperlyConfigured: it is malformed, or short enough to be guessed. The message does not quote it.
        """
        secret = self.text(name)
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:  # binascii.Error, or letters beyond ASCII
            key = b""
        if secret and not (secret.startswith("whsec_") and len(key) >= SIGNING_KEY_MIN_LENGTH):
            raise ImproperlyConfigured(
                f"{name} must be whsec_ and the base64 of at least {SIGNING_KEY_MIN_LENGTH} random bytes."
            )
        return secret

    def emails(self, name: str) -> list[str]:
        """E-mail addresses, with commas.

        Raises:
            ImproperlyConfigured: one is none.
        """
        found = [one.strip() for one in self.list(name, default=[])]
        try:
            for one in found:
                validate_email(one)
        except ValidationError as error:
            raise ImproperlyConfigured(f"{name} holds {one!r}, which is no e-mail address.") from error
        return found

    def mail(self, name: str, default: str) -> dict[str, Any]:
        """Django's `EMAIL_…` settings by `smtp+tls://USER:PASSWORD@HOST:587`; without an address, mail goes nowhere.

        Raises:
            ImproperlyConfigured: it is none. What it is is not quoted: it may hold the password.
        """
        url = self.text(name, default) or "dummymail://"
        scheme = url.partition(":")[0]
        try:
            found: dict[str, Any] = self.email_url_config(url)
        except (ValueError, ImproperlyConfigured):
            found = {}
        if not found or (scheme.startswith("smtp") and not found["EMAIL_HOST"]) or "OPTIONS" in found:
            raise ImproperlyConfigured(f"{name} is no address of a mail server: smtp+tls://USER:PASSWORD@HOST:587.")
        found["EMAIL_PORT"] = found["EMAIL_PORT"] or MAIL_PORTS.get(scheme, 0)
        return found

    def secret_key(self) -> str:
        """The signing key of sessions and tokens.

        Raises:
            ImproperlyConfigured: it is missing, a sample, or short enough to be guessed.
        """
        key = self.text("SECRET_KEY")
        cure = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
        if not key:
            raise ImproperlyConfigured(f"SECRET_KEY (or SECRET_KEY_FILE) is not set. {cure}")
        if key.lower().startswith(SAMPLE_SECRETS):
            raise ImproperlyConfigured(f"SECRET_KEY is a sample value. {cure}")
        if len(key) < SECRET_KEY_MIN_LENGTH:
            raise ImproperlyConfigured(f"SECRET_KEY is shorter than {SECRET_KEY_MIN_LENGTH} characters. {cure}")
        return key

    def rate(self, name: str, default: str) -> tuple[int, int]:
        """How many in how many seconds: `1000/minute` is (1000, 60).

        Raises:
            ImproperlyConfigured: it is not written like that.
        """
        text = self.str(name, default=default)
        number, _, period = text.partition("/")
        if not number.isdecimal() or int(number) < 1 or period not in PERIODS:
            raise ImproperlyConfigured(f"{name} is {text!r}; write a number and a period: 1000/minute.")
        return int(number), PERIODS[period]


def _wrong_with(url: str) -> str:
    """Why it is no plain http(s) address; empty: it is one."""
    try:
        check_url(url)
    except ValidationError as error:
        return error.messages[0]
    return ""
