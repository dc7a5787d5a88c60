"""Read and check the environment variables that `settings` is made of."""

import base64
import ipaddress
import warnings
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from environ.fileaware_mapping import FileAwareMapping

from backoffice.kit.addresses import EVERYWHERE, Network, check_url

Settings = dict[str, Any]  # by the names of Django's settings

SAMPLE_SECRETS = ("change-me", "changeme", "secret", "django-insecure")
SECRET_KEY_MIN_LENGTH = 40  # characters
NEW_KEY = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
TOKEN_MIN_LENGTH = 20  # characters
SIGNING_KEY_MIN_LENGTH = 24  # bytes; Standard Webhooks asks for 24 to 64
PERIODS = {"second": 1, "minute": 60, "hour": 60 * 60, "day": 24 * 60 * 60}  # seconds
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 587, "smtp+ssl": 465}


class Environment(FileAwareMapping):  # type: ignore[misc]
    """The variables of the process. `NAME_FILE` may name a file that holds the value of `NAME`.

    Attributes:
        names: the variables that were asked for, set or not.
        files: the absolute paths of the files that were read for them.
    """

    def __init__(self) -> None:
        super().__init__(cache=False)  # the library's own cache outlives a change of the environment
        self.names: set[str] = set()
        self.files: set[Path] = set()

    def __getitem__(self, name: str) -> str:
        """Return the value without its final newline.

        Raises:
            ImproperlyConfigured: the file can't be read.
            KeyError: neither variable is set.
        """
        self.names |= {name, f"{name}_FILE"}
        if file := self.env.get(f"{name}_FILE"):
            self.files.add(Path(file).absolute())
        try:
            return str(super().__getitem__(name)).rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "It is not UTF-8 text"
            raise ImproperlyConfigured(
                f"{name}_FILE names {self.env[f'{name}_FILE']}, which can't be read: {reason}."
            ) from None


class Env(environ.Env):  # type: ignore[misc]
    """Reads the environment, each kind of value by a method.

    Raises:
        ImproperlyConfigured: a value is missing, malformed or unsafe. The message names the variable and the cure, and
            does not quote a value that may be, or hold, a secret.
    """

    ENVIRON = Environment()

    def dotenv(self, name: str, default: Path) -> None:
        """Set the variables that a file in the form of `.env` holds, if there is one, and that are not set yet."""
        if (named := self.str(name, default=str(default))) and (file := Path(named).absolute()).exists():
            self.ENVIRON.files.add(file)
            self.read_env(file)

    def text(self, name: str, default: str = "") -> str:
        """Return the value unchanged; `str` takes a value that begins with "$" for the name of another variable."""
        return str(self.ENVIRON.get(name, default))

    def networks(self, name: str) -> list[Network]:
        """Return networks in CIDR that are separated by commas, `10.0.0.0/8,::1`."""
        return [_network(name, text.strip()) for text in self.list(name, default=[])]

    def address(self, name: str, networks: Iterable[Network] = EVERYWHERE) -> str:
        """Return the http(s) address that `name` holds, without a final slash; empty if it is not set.

        Args:
            networks: the private networks that it may be in, as far as it names no host.
        """
        url = str(self.str(name, default="")).rstrip("/")
        _check_address(name if "@" in url else f"{name} is {url!r}", url, networks)
        return url

    def database(self, name: str, default: str) -> Settings:
        """Return Django's `DATABASES` entry for `postgres://USER:PASSWORD@HOST:5432/NAME`."""
        url = self.text(name, default)
        entry: Settings = {}
        with warnings.catch_warnings(action="ignore"), suppress(ValueError, LookupError, ImproperlyConfigured):
            entry = self.db_url_config(url)  # its warnings quote the address
        if "ENGINE" not in entry or "#" in url:
            raise ImproperlyConfigured(
                f"{name} is not an address like postgres://USER:PASSWORD@HOST:5432/NAME. In user name and password "
                "signs are percent-encoded: %2F."
            ) from None
        return entry

    def hook(self, name: str, networks: Iterable[Network]) -> str:
        """Return the address that `name` holds, unchanged; empty if it is not set. Some are secrets."""
        url = self.text(name)
        _check_address(name, url, networks)
        return url

    def signing_secret(self, name: str) -> str:
        """Return the secret of Standard Webhooks that `name` holds, `whsec_` and base64; empty if it is not set."""
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

    def token(self, name: str) -> str:
        """Return the token that `name` holds; empty if it is not set. Refuse one that is short enough to be guessed."""
        token = self.text(name)
        if token and len(token) < TOKEN_MIN_LENGTH:
            cure = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
            raise ImproperlyConfigured(f"{name} is shorter than {TOKEN_MIN_LENGTH} characters. {cure}")
        return token

    def emails(self, name: str) -> list[str]:
        """Return e-mail addresses that are separated by commas."""
        emails = [email.strip() for email in self.list(name, default=[])]
        for email in emails:
            try:
                validate_email(email)
            except ValidationError as error:
                raise ImproperlyConfigured(f"{name} holds {email!r}, which is not an e-mail address.") from error
        return emails

    def mail(self, name: str, default: str) -> Settings:
        """Return Django's `EMAIL_…` settings for `smtp+tls://USER:PASSWORD@HOST:587`; without one, mail is dropped."""
        url = self.text(name, default) or "dummymail://"
        scheme = url.partition(":")[0]
        try:
            settings: Settings = self.email_url_config(url)
        except (ValueError, ImproperlyConfigured):
            settings = {}
        if not settings or (scheme.startswith("smtp") and not settings["EMAIL_HOST"]) or "OPTIONS" in settings:
            raise ImproperlyConfigured(
                f"{name} is not the address of a mail server: smtp+tls://USER:PASSWORD@HOST:587."
            )
        settings["EMAIL_PORT"] = settings["EMAIL_PORT"] or MAIL_PORTS.get(scheme, 0)
        return settings

    def secret_key(self) -> str:
        """Return the signing key of sessions and tokens; refuse a sample, and one short enough to be guessed."""
        key = self.text("SECRET_KEY")
        if not key:
            raise ImproperlyConfigured(f"SECRET_KEY (or SECRET_KEY_FILE) is not set. {NEW_KEY}")
        _check_key("SECRET_KEY", key)
        return key

    def secret_key_fallbacks(self) -> list[str]:
        """Return the signing keys that are valid still, separated by commas or, as in a file, by lines."""
        keys = self.text("SECRET_KEY_FALLBACKS").replace(",", " ").split()
        for key in keys:
            _check_key("SECRET_KEY_FALLBACKS", key)
        return keys

    def rate(self, name: str, default: str) -> tuple[int, int]:
        """Return a number and its period in seconds: `1000/minute` is (1000, 60)."""
        text = self.str(name, default=default)
        number, _, period = text.partition("/")
        if not number.isdecimal() or int(number) < 1 or period not in PERIODS:
            raise ImproperlyConfigured(f"{name} is {text!r}; write a number and a period: 1000/minute.")
        return int(number), PERIODS[period]


def _check_key(name: str, key: str) -> None:
    if key.lower().startswith(SAMPLE_SECRETS):
        raise ImproperlyConfigured(f"{name} is a sample value. {NEW_KEY}")
    if len(key) < SECRET_KEY_MIN_LENGTH:
        raise ImproperlyConfigured(f"{name} is shorter than {SECRET_KEY_MIN_LENGTH} characters. {NEW_KEY}")


def _network(name: str, text: str) -> Network:
    """Return the network, or the one address, that a text names; bits set beyond the prefix are a typing error."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} holds {text!r}, which is not a network: write 10.0.0.0/8, fd00::/8 or an address, with commas."
        ) from None
    if ipaddress.ip_address(text.partition("/")[0]) != network.network_address:
        raise ImproperlyConfigured(f"{name} holds {text!r}; write {network}, or the prefix that is meant.")
    if network.prefixlen == 0:
        raise ImproperlyConfigured(f"{name} holds {text!r}, which is every address; write the networks that are meant.")
    return network


def _check_address(subject: str, url: str, networks: Iterable[Network]) -> None:
    """Refuse all but a plain http(s) address, or none."""
    try:
        if url:
            check_url(url, networks)
    except ValidationError as error:
        raise ImproperlyConfigured(f"{subject}: {error.messages[0]}") from None
