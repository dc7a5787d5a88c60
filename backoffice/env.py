"""Reading the environment that `settings` is driven by."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured, ValidationError

from backoffice.kit.addresses import check_url

SAMPLE_SECRETS = ("change-me", "changeme", "secret", "django-insecure")
SECRET_KEY_MIN_LENGTH = 40  # characters
PERIODS = {"second": 1, "minute": 60, "hour": 60 * 60, "day": 24 * 60 * 60}  # seconds


class Env(environ.Env):  # type: ignore[misc]
    """The process environment, where any `NAME` may also be given as a file named by `NAME_FILE`."""

    def text(self, name: str, default: str = "") -> str:
        """The value of `NAME`, else the content of the file `NAME_FILE` without its final newline.

        Raises:
            ImproperlyConfigured: `NAME_FILE` names a file that can't be read.
        """
        path = self.str(f"{name}_FILE", default="")
        if not path:
            return str(self.str(name, default=default))
        try:
            return Path(path).read_text().rstrip("\n")
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which can't be read: {error.strerror}.") from error

    def address(self, name: str) -> str:
        """The http(s) address that `NAME` gives, without a final slash; empty: none.

        Raises:
            ImproperlyConfigured: it is none, or holds more than scheme, host, port and path.
        """
        url = str(self.str(name, default="")).rstrip("/")
        try:
            if url:
                check_url(url)
        except ValidationError as error:
            raise ImproperlyConfigured(f"{name} is {url!r}. {error.messages[0]}") from error
        return url

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
