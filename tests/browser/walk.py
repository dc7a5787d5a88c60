"""Find one page of each kind, by following the links from home."""

import re
from collections import deque
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from django.conf import settings
from django.test import Client
from django.urls import resolve

MOST = 600  # pages that are asked for: an end, not an expectation
CONTENT = "|".join(app.rpartition(".")[2] for app in settings.CONTENT_APPS)
# Pages that all models, or all content models, have of the same templates: one stands for all.
ALIKE = re.compile(rf"({CONTENT})_[a-z]+_(?!change)|(?!{CONTENT})[a-z]+_[a-z]+(?=_(history|delete)$)")


class _Links(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def walk(client: Client, start: str) -> dict[str, Any]:
    """Return the answer with the first page that was found of each kind, by its kind."""
    waiting, seen, found = deque([start]), {start}, dict[str, Any]()
    while waiting:
        assert len(seen) < MOST * 10
        address = waiting.popleft()
        if (name := kind(address)) in found:
            continue
        response = client.get(address)
        if response.status_code != 200 or not response["Content-Type"].startswith("text/html"):
            continue
        found[name] = response
        for link in _Links(response.content.decode()).found:
            other = urldefrag(urljoin(address, link)).url
            if not urlsplit(other).netloc and other not in seen and not other.endswith("/logout/"):
                seen.add(other)
                waiting.append(other)
    return found


def kind(address: str) -> str:
    """Return the name of the address's view, such as `news_post_change`; `export` for that of any content model."""
    return ALIKE.sub("", resolve(urlsplit(address).path).view_name.removeprefix("admin:"))
