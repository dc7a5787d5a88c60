"""What one page of a target's list says of the route that is to read it: findings, each with its cure.

Pure: it reads an answer and asks for nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.kit.phrases import phrase
from syncer.core.answers import MISSING, UnreadableError, at, names_of
from syncer.core.ids import is_id
from syncer.core.outcome import EXCERPT, Exchange
from syncer.targets.previews import Finding, Severity
from syncer.targets.rest.endpoint import Endpoint, ListError, next_link

DEPTH = 3  # levels of an answer in which names are looked for
IDS = ("id", "uuid", "guid", "documentid", "objectid", "key", "pk", "code", "slug")  # likely first
NEXT = re.compile(r"(next|after|cursor)(page|link|url|uri|cursor|token|pagetoken|pageurl|href)?|nextpage.*")
PAGE_SIZES = (10, 12, 15, 20, 24, 25, 30, 40, 50, 60, 64, 75, 100, 200, 250, 500, 1000)


def wrong(text: str, column: str = "", *, settings: Mapping[str, Any] | None = None) -> Finding:
    return Finding(severity=Severity.WRONG, text=text, column=column, settings=settings or {})


def note(text: str, column: str = "") -> Finding:
    return Finding(severity=Severity.NOTE, text=text, column=column)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What one page says of the route; `record` is its first record, MISSING where it has none."""

    findings: tuple[Finding, ...]
    record: Any = MISSING


def judge(exchange: Exchange, endpoint: Endpoint) -> Judged:
    """Judge the answer to a request for the first page of a route's list.

    1. Was it answered, and with a list where the route says that it is?
    2. Have its records ids, different ones?
    3. Have they the fields that the route sends?
    4. Are there more pages, and can they be found?
    """
    if refusal := _refusal(exchange, endpoint):
        return Judged(findings=(refusal,))
    answer = exchange.answer
    records = at(answer, endpoint.answers.items)
    if not isinstance(records, list):
        lists = _lists(answer)
        record = at(answer, lists[0])[0] if lists and at(answer, lists[0]) else MISSING
        return Judged(findings=(_no_list(answer, lists, endpoint),), record=record)
    if not all(isinstance(record, Mapping) for record in records):
        kind = next(type(record).__name__ for record in records if not isinstance(record, Mapping))
        text = _("It lists no records, but values of the type %(kind)s.") % {"kind": kind}
        return Judged(findings=(wrong(text, "items_field"),))
    findings = [*_ids(records, endpoint), *_fields(records, endpoint), *_pages(exchange, answer, records, endpoint)]
    if not records:
        findings.append(note(_("It lists no record yet, so that nothing can be said of their ids and fields.")))
    elif not any(finding.severity is Severity.WRONG for finding in findings):
        text = ngettext(
            "It lists %(number)d records, each with its '%(id)s' and the fields that are sent.",
            "It lists %(number)d records, each with its '%(id)s' and the fields that are sent.",
            len(records),
        )
        words = {"number": len(records), "id": endpoint.answers.id}
        findings.insert(0, Finding(severity=Severity.FINE, text=text % words))
    return Judged(findings=tuple(findings), record=records[0] if records else MISSING)


def _refusal(exchange: Exchange, endpoint: Endpoint) -> Finding | None:
    """Return what is wrong with an answer that is no list at all; None where it may be one."""
    status = exchange.status or 0
    words: dict[str, object] = {"path": endpoint.terms.path, "status": status}
    if exchange.silence is not None:
        return wrong(phrase("Its list was not read: the target %(why)s.", why=exchange.why))
    if status == 401:
        return wrong(_("The sign-in was refused (401): check the way of signing in and the secret."), "auth")
    if status == 403:
        return wrong(_("It answered 403: the account may not list the records at %(path)s.") % words, "path")
    if status in (404, 410):
        text = _(
            "%(path)s answered %(status)s, so there is nothing at that address: correct the address of the target or "
            "the path of the route."
        )
        return wrong(text % words, "path")
    if status == 405:
        text = _(
            "%(path)s answered 405, so records are not listed there. Nothing is adopted then, and a person decides "
            "about each create whose answer is lost."
        )
        return wrong(text % words, "path")
    if 300 <= status < 400:
        words["location"] = exchange.headers.get("location", "") or _("another address")
        text = _(
            "%(path)s answered %(status)s and leads to %(location)s. Redirects are not followed: enter the final "
            "address, often https, or a path with a final slash."
        )
        return wrong(text % words, "path")
    if status == 429:
        return wrong(_("It answered 429: it wants fewer requests. Try again later, or lower the concurrency."))
    if not 200 <= status < 300:
        answer = exchange.text[:EXCERPT].strip()
        return wrong(phrase("Its list was not read: it answered %(status)s", status=status, quoted=answer))
    return _unreadable(exchange, endpoint, words)


def _unreadable(exchange: Exchange, endpoint: Endpoint, words: dict[str, object]) -> Finding | None:
    """Return what is wrong with the body of an answer with status 2xx; None where it may be a list."""
    try:
        answer = exchange.answer
    except UnreadableError:
        words["kind"] = exchange.headers.get("content-type", "").partition(";")[0] or _("no type")
        text = _(
            "%(path)s answered with something other than JSON (%(kind)s): the address may be that of a web page, and "
            "the API be at another."
        )
        return wrong(text % words, "path")
    if answer is None:
        return wrong(_("%(path)s answered %(status)s without a body.") % words, "path")
    if refusal := endpoint.answers.refusal(answer):
        return wrong(_("It answered %(status)s, but with %(refusal)s.") % {**words, "refusal": refusal})
    return None


def places(value: object, depth: int = DEPTH, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what an answer has at each dotted path, `("meta", {…}), ("meta.total", 25), …`."""
    if not isinstance(value, Mapping) or depth == 0:
        return
    for name, inner in value.items():
        path = f"{above}.{name}" if above else str(name)
        yield path, inner
        yield from places(inner, depth - 1, path)


def plain(path: str) -> str:
    """Return the last name of a path without case and punctuation: `links._Next` is `next`."""
    return re.sub(r"[^a-z0-9]", "", path.rpartition(".")[2].lower())


def _lists(answer: object) -> list[str]:
    """Return the places of an answer that have a list, those with objects in it first."""
    if isinstance(answer, list):
        return [""]
    lists = [path for path, value in places(answer) if isinstance(value, list)]
    return sorted(lists, key=lambda path: not any(isinstance(one, Mapping) for one in at(answer, path)))


def _no_list(answer: object, lists: Sequence[str], endpoint: Endpoint) -> Finding:
    """Return where the records may be instead."""
    items = endpoint.answers.items
    if isinstance(answer, list):
        text = _("The answer is the list itself: leave 'items' empty.")
        return wrong(text, "items_field", settings={"items_field": ""})
    if lists:
        text = _("The answer is not a list; its records are under '%(list)s': set 'items' to that.")
        if items:
            text = _("There is no list under '%(items)s'; its records are under '%(list)s': set 'items' to that.")
        words = {"items": items, "list": lists[0]}
        return wrong(text % words, "items_field", settings={"items_field": lists[0]})
    words = {"items": items, "names": names_of(answer)}
    if items:
        text = _("There is no list under '%(items)s', and has none in it; it has: %(names)s.")
        return wrong(text % words, "items_field")
    return wrong(_("The answer is not a list, and has none in it; it has: %(names)s.") % words, "path")


def _ids(records: Sequence[Mapping[str, Any]], endpoint: Endpoint) -> Iterator[Finding]:
    name = endpoint.answers.id
    lacking = [record for record in records if endpoint.answers.id_of(record) is None]
    if not lacking:
        if len({endpoint.answers.id_of(record) for record in records}) < len(records):
            text = _("Several of its records have the same '%(name)s': set 'id' to what is unique.")
            yield wrong(text % {"name": name}, "id_field")
        return
    likely = [path for path, value in places(lacking[0]) if plain(path) in IDS and is_id(value)]
    likely.sort(key=lambda path: (path.count("."), IDS.index(plain(path))))
    text = _("%(which)s has no readable '%(name)s'; it has: %(names)s. Set 'id' to the name of its id.")
    if likely:
        text = _("%(which)s has no readable '%(name)s'; it has '%(likely)s': set 'id' to that.")
    which = _("A record")
    if len(lacking) < len(records):
        which = _("%(number)s of %(total)s records") % {"number": len(lacking), "total": len(records)}
    words = {"which": which, "name": name, "names": names_of(lacking[0]), "likely": likely[0] if likely else ""}
    yield wrong(text % words, "id_field", settings={"id_field": likely[0]} if likely else None)


def _fields(records: Sequence[Mapping[str, Any]], endpoint: Endpoint) -> Iterator[Finding]:
    """Yield the names that are sent and that no record shows."""
    known = [path for path, _value in places(records[0])] if records else []
    for name in sorted({*endpoint.answers.names, *endpoint.constants}) if records else ():
        if any(at(record, name) is not MISSING for record in records):
            continue
        holder = at(records[0], name.rpartition(".")[0])
        shown = holder if isinstance(holder, Mapping) else records[0]
        alike = [path for path in known if plain(path) == plain(name)] or get_close_matches(name, known, 1, 0.75)
        text = _(
            "It does not show the field '%(name)s'; it shows: %(names)s. If it is only left out of lists, all is well."
        )
        if alike:
            text = _("It does not show the field '%(name)s'; it shows: %(names)s. '%(alike)s' may be meant.")
        words = {"name": name, "names": names_of(dict(shown)), "alike": alike[0] if alike else ""}
        why = _("Records are recognized by it: it is in the lookup.") if name in endpoint.terms.lookup else ""
        column = "fields" if name in endpoint.answers.names else "constants"
        yield wrong(" ".join(filter(None, (text % words, why))), column)


def _pages(exchange: Exchange, answer: object, records: Sequence[Any], endpoint: Endpoint) -> Iterator[Finding]:
    """Yield what is to be said of more pages: whether there are any, and whether they will be found."""
    count = len(records)
    try:
        following = endpoint.following(exchange, answer, number=1, count=count, is_empty=not records)
    except ListError as error:
        yield wrong(_("It %(error)s.") % {"error": error}, "paging")
        return
    if following is not None and not endpoint.is_counted:
        yield note(_("It names a next page, which is followed."))
        return
    total, said_by = endpoint.announced(exchange, answer), _said_by(exchange)
    if following is not None:
        text = _("%(count)s records came. '%(page)s' is counted up until a page is empty.")
        if total is not None:
            text = _(
                "%(count)s records came; %(header)s says %(total)s. '%(page)s' is counted up until a page is empty."
            )
        yield note(text % {"count": count, "header": said_by, "total": total, "page": endpoint.page_name})
        return
    if named := next(_named_pages(exchange, answer, endpoint), None):
        yield named
    elif total is not None and total > count:
        text = _(
            "%(header)s says %(total)s, %(count)s came and no next page is named: say how lists are paged ('paging', "
            "and 'next' or 'page_name')."
        )
        yield wrong(text % {"header": said_by, "total": total, "count": count}, "paging")
    elif total is None and count in PAGE_SIZES:
        text = _("%(count)s records came, and nothing says whether there are more: if lists are paged, set 'paging'.")
        yield note(text % {"count": count}, "paging")


def _said_by(exchange: Exchange) -> str:
    """Return the name of the header that says how many records there are; without one, it is the answer."""
    names: Iterable[str] = ("X-Total-Count", "X-WP-Total", "Content-Range")
    return next((name for name in names if name.lower() in exchange.headers), _("The answer"))


def _named_pages(exchange: Exchange, answer: object, endpoint: Endpoint) -> Iterator[Finding]:
    """Yield the next pages that the target names where the route does not look for them."""
    if next_link(exchange.headers.get("link", "")):
        settings: dict[str, Any] = {"paging": "link", "page_name": "", "first_page": 1}
        text = _("It names a next page in the header Link: set 'paging' to 'link'.")
        yield wrong(text, "paging", settings=settings)
    for name, value in exchange.headers.items():
        if plain(name.replace("-", "")) in ("nextpage", "xnextpage", "nexturl", "xnext") and value:
            is_number = value.strip().isdecimal()
            settings = {"paging": "page"} if is_number else {"paging": "header", "page_name": name.title()}
            text = _(
                "It names a next page in the header %(name)s: set 'paging' to 'header' and 'page_name' to '%(name)s'."
            )
            if is_number:
                text = _("It names a next page in the header %(name)s: set 'paging' to 'page'.")
            yield wrong(text % {"name": name.title()}, "paging", settings=settings | {"next_field": ""})
    for path, value in places(answer):
        if plain(path) == "href" and plain(path.rpartition(".")[0]) == "next" and isinstance(value, str):
            settings = {"paging": "link", "page_name": "", "next_field": path}
            text = _("It names a next page in '%(path)s': set 'next' to that.")
            yield wrong(text % {"path": path}, "next_field", settings=settings)
        is_record = endpoint.answers.items and path.startswith(f"{endpoint.answers.items}.")
        if is_record or not NEXT.fullmatch(plain(path)) or not isinstance(value, str | int) or value in ("", False):
            continue
        is_address = str(value).startswith(("http://", "https://", "/", "?"))
        settings = {"paging": "link" if is_address else "cursor", "page_name": "", "next_field": path}
        text = _(
            "It names a next page in '%(path)s': set 'next' to that, 'paging' to 'cursor' and 'page_name' to its "
            "parameter."
        )
        if is_address:
            text = _("It names a next page in '%(path)s': set 'next' to that, 'paging' to 'link'.")
        yield wrong(text % {"path": path}, "next_field", settings=settings)
