"""Steps of a setup as a browser takes them."""

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from tests.content.pages import administrator, form_of
from tests.remote import Remote


def url(step: str, *keys: object) -> str:
    return reverse(f"admin:syncer_target_setup_{step}", args=keys) if step else reverse("admin:syncer_target_setup")


class Walk:
    """One person and their browser; `page` is the page that they see."""

    def __init__(self, remote: Remote, client: Client | None = None) -> None:
        self.remote, self.client = remote, client or administrator()
        self.page: Any = self.client.get(url(""))

    def go(self, address: str) -> "Walk":
        self.page = self.client.get(address, follow=True)
        return self

    def send(self, **fields: str) -> "Walk":
        """Send the page's form with these fields changed; underlines in names stand for the dashes of `to-title`."""
        form = form_of(self.page, "setup_form")
        named = {re.sub(r"^(to|other|form|find)_", r"\1-", name): value for name, value in fields.items()}
        address = self.page.request["PATH_INFO"]
        self.page = self.client.post(address, form | named, follow=True)
        return self

    def press(self, button: str, **fields: str) -> "Walk":
        """Press one of several buttons; `take=url=https://…` is the one with that value."""
        name, _, value = button.partition("=")
        return self.send(**{name: value or "1"}, **fields)

    @property
    def text(self) -> str:
        text: str = self.page.content.decode()
        return text

    @property
    def step(self) -> str:
        """The last part of the page's address."""
        return str(self.page.request["PATH_INFO"]).rstrip("/").rpartition("/")[2]

    @property
    def errors(self) -> dict[str, list[str]]:
        return {name: list(map(str, found)) for name, found in self.page.context["form"].errors.items()}
