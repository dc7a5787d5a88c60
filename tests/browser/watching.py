"""What no page may do: say an error in the console, throw, break its Content-Security-Policy, ask another host."""

from typing import Any
from urllib.parse import urlsplit

INSIDE = ("data", "blob", "about")  # schemes that reach no host


class Watched:
    """What the pages of one browser context did wrong; `expected` words pass."""

    def __init__(self, context: Any, host: str) -> None:
        self.faults: list[str] = []
        self.expected: list[str] = []
        self.host = host
        context.on("console", self._said)
        context.on("weberror", self._threw)
        context.on("request", self._asked)

    def _said(self, message: Any) -> None:
        # A broken policy is said here too: "… violates the following Content Security Policy directive …".
        if message.type == "error":
            self._note(f"console: {message.text}", message.page.url if message.page else "")

    def _threw(self, thrown: Any) -> None:
        self._note(f"uncaught: {thrown.error}", thrown.page.url if thrown.page else "")

    def _asked(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme not in INSIDE and address.netloc != self.host:
            self._note(f"another host: {request.url}")

    def _note(self, fault: str, page: str = "") -> None:
        if not any(word in fault for word in self.expected):
            self.faults.append(f"{fault} ({urlsplit(page).path})" if page else fault)
