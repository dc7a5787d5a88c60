"""Pages as a browser uses them: who is signed in, and what a form on the page would send."""

from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from backoffice.accounts.models import User


def person(name: str, *permissions: str, **fields: Any) -> User:
    """Somebody who may open the admin, with exactly these permissions of their own, such as `news.change_post`."""
    user = User.objects.create_user(name, **{"is_staff": True, **fields})
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sign_in(*permissions: str, name: str = "editor") -> Client:
    return browser(person(name, *permissions))


def administrator() -> Client:
    name = "administrator"
    return browser(User.objects.filter(username=name).first() or User.objects.create_superuser(name))


class _Form(HTMLParser):
    """The fields inside `<form id=…>` that a browser would send."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form, self.inside, self.area, self.select = form, False, "", ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        name = values.get("name", "")
        if tag == "form":
            self.inside = values.get("id") == self.form
        elif self.inside and tag == "textarea":
            self.area, self.fields[name] = name, ""
        elif self.inside and tag == "select":
            self.select = name
        elif self.inside and tag == "option" and "selected" in values:
            self.fields[self.select] = values.get("value", "")
        elif self.inside and tag == "input" and name and self._sent(values):
            value = values.get("value", "on" if values.get("type") == "checkbox" else "")
            # https://html.spec.whatwg.org/multipage/input.html#text-(type=text)-state-and-search-state-(type=search)
            one_line = values.get("type") in ("text", "email")
            self.fields[name] = value.replace("\n", "").replace("\r", "") if one_line else value

    def _sent(self, values: dict[str, str]) -> bool:
        kind = values.get("type")
        return "checked" in values if kind in ("checkbox", "radio") else kind not in ("submit", "file")

    def handle_data(self, data: str) -> None:
        if self.area:
            self.fields[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""
        elif tag == "form":
            self.inside = False


def form_of(response: Any, form: str) -> dict[str, str]:
    """What the form with that id would send, line breaks as browsers send them."""
    parser = _Form(form)
    parser.feed(response.content.decode())
    return {name: value.replace("\r\n", "\n").replace("\n", "\r\n") for name, value in parser.fields.items()}


def with_rows(form: dict[str, str], **rows: list[Any]) -> dict[str, str]:
    """What a form would send with these rows: `fields=[("userId", "user_id")]`, and `lookup=["title"]` for one column.

    Without rows, an empty one is sent, as a page always has one.
    """
    kept = {key: text for key, text in form.items() if key.partition("-")[0] not in rows}
    texts = {
        f"{name}-{number}-{place}": text
        for name, given in rows.items()
        for number, row in enumerate(given or [""])
        for place, text in enumerate([row] if isinstance(row, str) else row)
    }
    return kept | texts
