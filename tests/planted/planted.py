"""The secrets of one test, and all that the program said while it ran."""

import io
import secrets
from contextlib import suppress
from typing import Any

from django.core.management import CommandError, call_command
from django.test import Client

from tests.planted import search


class Planted:
    """What was planted, and what was heard."""

    def __init__(self) -> None:
        self.cores: dict[str, str] = {}  # what is searched for, `{name: a part of the secret}`
        self.heard: list[search.Place] = []  # what came out of the program, `[(where, what), …]`

    def secret(self, name: str) -> str:
        """A new one: between two parts, which are searched for, the signs that are escaped in many a language."""
        first, second = secrets.token_hex(8), secrets.token_hex(8)
        self.cores |= {name: first, f"{name}, its end": second}
        return f"{first}\"/+<&>%'\\ {second}"

    def word(self, name: str) -> str:
        """A new one, of letters and digits only."""
        self.cores[name] = secrets.token_hex(16)
        return self.cores[name]

    def hear(self, where: str, what: str | bytes) -> None:
        self.heard.extend(search.unpacked(where, what if isinstance(what, bytes) else what.encode()))

    def get(self, client: Client, url: str, status: int = 200) -> None:
        """Look at a page."""
        answer: Any = client.get(url)
        assert answer.status_code == status, (url, answer.status_code)
        self.hear(url, answer.serialize_headers() + bytes(answer.getvalue()))

    def command(self, *words: str) -> str:
        """Run a command; what it says, and why it refuses."""
        out = io.StringIO()
        with suppress(SystemExit):
            try:
                call_command(*words, stdout=out, stderr=out)
            except CommandError as error:
                out.write(str(error))
        self.hear(" ".join(words), out.getvalue())
        return out.getvalue()
