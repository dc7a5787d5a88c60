"""A signed-in session at a node's admin, over real HTTP."""

import re
from html.parser import HTMLParser

import requests


class Admin:
    """A session of `user`, signed in at `address`; `http` has the cookies of other sessions too."""

    def __init__(self, address: str, user: str, password: str, *, http: requests.Session | None = None) -> None:
        self.address = address
        self.http = http or requests.Session()
        self.http.trust_env = False
        page = f"{address}/admin/login/"
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.http.get(page, timeout=30).text)
        assert token
        form = {"username": user, "password": password, "csrfmiddlewaretoken": token[1]}
        answer = self.http.post(page, data=form, timeout=30, allow_redirects=False)
        assert answer.status_code == 302, "the sign-in was refused"

    def form(self, path: str) -> dict[str, str]:
        """Return the values that the unchanged form at `path` would send."""
        answer = self.http.get(f"{self.address}{path}", timeout=30)
        answer.raise_for_status()
        fields = Fields()
        fields.feed(answer.text)
        return fields.values

    def save(self, path: str, form: dict[str, str]) -> None:
        url = f"{self.address}{path}"
        answer = self.http.post(url, data=form, headers={"Referer": url}, timeout=30, allow_redirects=False)
        assert answer.status_code == 302, f"the form was not saved: {answer.status_code}"


class Fields(HTMLParser):
    """Collects in `values` the fields of a page's POST forms, without buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._posts = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self._posts = (attributes.get("method") or "").lower() == "post" and "logout" not in (
                attributes.get("action") or ""
            )
        name = attributes.get("name")
        if tag == "select":
            self._select = name or ""
        if not self._posts:
            return
        if tag == "input" and name and attributes.get("type") not in ("submit", "checkbox", "radio", "file"):
            self.values[name] = attributes.get("value") or ""
        elif tag == "option" and self._select and "selected" in attributes:
            self.values[self._select] = attributes.get("value") or ""
