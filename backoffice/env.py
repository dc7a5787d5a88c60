"""Reading the environment that `settings` is driven by."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

SAMPLE_SECRETS = ("change-me", "changeme", "secret", "django-insecure")
SECRET_KEY_MIN_LENGTH = 40  # characters


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
