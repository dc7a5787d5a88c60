"""Find one page of each kind, by following the links from home."""

import re
from collections import deque
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from django.conf import settings
from django.test import Client
from django.urls import get_resolver, resolve

# The kinds of addresses that are no pages: buttons, parts for a script, files, steps that only lead on.
NO_PAGES = {
    "accounts_apikey_revoke", "content_import_cancel", "content_import_columns", "content_import_confirm",
    "content_import_continue", "content_import_failed", "content_import_undo", "process_import", "jobs_job_file",
    "jobs_job_progress", "states", "sync", "view_delete", "view_save", "view_on_site", "autocomplete", "jsi18n",
    "logout", "oidc", "oidc_back", "password_reset_open", "second_factor_remove", "erase", "erase_of",
    "syncer_binding_resolve", "syncer_route_recompare", "syncer_run_cancel", "syncer_run_download",
    "syncer_run_failures", "syncer_run_progress", "syncer_run_retry", "syncer_target_card", "syncer_target_compare",
    "syncer_target_deletes_allow", "syncer_target_deletes_undo", "syncer_target_home", "syncer_target_pause",
    "syncer_target_resume", "syncer_target_setup_continue", "syncer_target_sync", "syncer_target_sync_all",
    "syncer_target_trigger", "redoc-script", "audit_entry_add", "content_import_add", "django_q_failure_add",
    "jobs_job_add", "syncer_alert_add", "syncer_attempt_add", "syncer_binding_add", "syncer_replica_add",
    "syncer_run_add",
}  # fmt: skip
MOST = 600  # pages that are asked for: an end, not an expectation
API = "api"  # its namespace
CONTENT = "|".join(app.rpartition(".")[2] for app in settings.CONTENT_APPS)
# Pages that all models, or all content models, have of the same templates: one stands for all.
ALIKE = re.compile(rf"({CONTENT})_[a-z]+_(?!change)|(?!{CONTENT})[a-z]+_[a-z_]+(?=_(history|delete)$)")


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
    return _kind(resolve(urlsplit(address).path).view_name)


def kinds() -> set[str]:
    """Return the kinds of all addresses but the API's that have a name."""
    return {_kind(name) for name in _names(get_resolver(), "")}


def _kind(name: str) -> str:
    return ALIKE.sub("", name.removeprefix("admin:"))


def _names(resolver: Any, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            if pattern.namespace != API:
                yield from _names(pattern, prefix + (f"{pattern.namespace}:" if pattern.namespace else ""))
        elif pattern.name:
            yield prefix + pattern.name
