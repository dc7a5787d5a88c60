"""What one page of a target's list says of the route that is to read it: findings, each with its cure.

Pure: it reads an answer and asks for nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from syncer.core.answers import MISSING, UnreadableError, at, names_of
from syncer.core.ids import is_id
from syncer.core.outcome import Exchange
from syncer.targets.base import Finding, Severity
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
        return Judged(findings=(wrong(f"It lists no records, but values of the type {kind}.", "items_field"),))
    findings = [*_ids(records, endpoint), *_fields(records, endpoint), *_pages(exchange, answer, records, endpoint)]
    if not records:
        findings.append(note("It lists no record yet, so that nothing can be said of their ids and fields."))
    elif not any(finding.severity is Severity.WRONG for finding in findings):
        text = f"It lists {len(records)} records, each with its '{endpoint.answers.id}' and the fields that are sent."
        findings.insert(0, Finding(severity=Severity.FINE, text=text))
    return Judged(findings=tuple(findings), record=records[0] if records else MISSING)


def _refusal(exchange: Exchange, endpoint: Endpoint) -> Finding | None:
    """Return what is wrong with an answer that is no list at all; None where it may be one."""
    status, path = exchange.status or 0, endpoint.terms.path
    location = exchange.headers.get("location", "")
    if exchange.silence is not None:
        return wrong(f"Its list was not read: the target {exchange.why}.")
    if status == 401:
        return wrong("The sign-in was refused (401): check the way of signing in and the secret.", "auth")
    if status == 403:
        return wrong(f"It answered 403: the account may not list the records at {path}.", "path")
    if status in (404, 410):
        cure = "correct the address of the target or the path of the route"
        return wrong(f"{path} answered {status}, so there is nothing at that address: {cure}.", "path")
    if status == 405:
        text = f"{path} answered 405, so records are not listed there. Nothing is adopted then, and a person decides"
        return wrong(f"{text} about each create whose answer is lost.", "path")
    if 300 <= status < 400:
        text = f"{path} answered {status} and leads to {location or 'another address'}. Redirects are not followed"
        return wrong(f"{text}: enter the final address, often https, or a path with a final slash.", "path")
    if status == 429:
        return wrong("It answered 429: it wants fewer requests. Try again later, or lower the concurrency.")
    if not 200 <= status < 300:
        return wrong(f"Its list was not read: it answered {status}: {exchange.text[:200].strip()}")
    try:
        answer = exchange.answer
    except UnreadableError:
        kind = exchange.headers.get("content-type", "").partition(";")[0] or "no type"
        text = f"{path} answered with something other than JSON ({kind})"
        return wrong(f"{text}: the address may be that of a web page, and the API be at another.", "path")
    if answer is None:
        return wrong(f"{path} answered {status} without a body.", "path")
    if refusal := endpoint.answers.refusal(answer):
        return wrong(f"It answered {status}, but with {refusal}.")
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
        return wrong("The answer is the list itself: leave 'items' empty.", "items_field", settings={"items_field": ""})
    where = f"There is no list under '{items}'" if items else "The answer is not a list"
    if lists:
        settings = {"items_field": lists[0]}
        text = f"{where}; its records are under '{lists[0]}': set 'items' to that."
        return wrong(text, "items_field", settings=settings)
    return wrong(f"{where}, and has none in it; it has: {names_of(answer)}.", "path" if not items else "items_field")


def _ids(records: Sequence[Mapping[str, Any]], endpoint: Endpoint) -> Iterator[Finding]:
    name = endpoint.answers.id
    lacking = [record for record in records if endpoint.answers.id_of(record) is None]
    if not lacking:
        if len({endpoint.answers.id_of(record) for record in records}) < len(records):
            yield wrong(f"Several of its records have the same '{name}': set 'id' to what is unique.", "id_field")
        return
    likely = [path for path, value in places(lacking[0]) if plain(path) in IDS and is_id(value)]
    likely.sort(key=lambda path: (path.count("."), IDS.index(plain(path))))
    if likely:
        cure = f"has '{likely[0]}': set 'id' to that"
    else:
        cure = f"has: {names_of(lacking[0])}. Set 'id' to the name of its id"
    which = "A record" if len(lacking) == len(records) else f"{len(lacking)} of {len(records)} records"
    settings = {"id_field": likely[0]} if likely else None
    yield wrong(f"{which} has no readable '{name}'; it {cure}.", "id_field", settings=settings)


def _fields(records: Sequence[Mapping[str, Any]], endpoint: Endpoint) -> Iterator[Finding]:
    """Yield the names that are sent and that no record shows."""
    known = [path for path, _ in places(records[0])] if records else []
    for name in sorted({*endpoint.answers.names, *endpoint.constants}) if records else ():
        if any(at(record, name) is not MISSING for record in records):
            continue
        holder = at(records[0], name.rpartition(".")[0])
        shown = holder if isinstance(holder, Mapping) else records[0]
        alike = [path for path in known if plain(path) == plain(name)] or get_close_matches(name, known, 1, 0.75)
        cure = f"'{alike[0]}' may be meant" if alike else "if it is only left out of lists, all is well"
        why = " Records are recognized by it: it is in the lookup." if name in endpoint.terms.lookup else ""
        column = "fields" if name in endpoint.answers.names else "constants"
        yield wrong(f"It does not show the field '{name}'; it shows: {names_of(dict(shown))}. {cure}.{why}", column)


def _pages(exchange: Exchange, answer: object, records: Sequence[Any], endpoint: Endpoint) -> Iterator[Finding]:
    """Yield what is to be said of more pages: whether there are any, and whether they will be found."""
    count = len(records)
    try:
        following = endpoint.following(exchange, answer, number=1, count=count, is_empty=not records)
    except ListError as error:
        yield wrong(f"It {error}.", "paging")
        return
    if following is not None and not endpoint.is_counted:
        yield note("It names a next page, which is followed.")
        return
    total, said_by = endpoint.announced(exchange, answer), _said_by(exchange)
    if following is not None:
        more = f"; {said_by} says {total}" if total is not None else ""
        yield note(f"{count} records came{more}. '{endpoint.page_name}' is counted up until a page is empty.")
        return
    if named := next(_named_pages(exchange, answer, endpoint), None):
        yield named
    elif total is not None and total > count:
        text = f"{said_by} says {total}, {count} came and no next page is named"
        yield wrong(f"{text}: say how lists are paged ('paging', and 'next' or 'page_name').", "paging")
    elif total is None and count in PAGE_SIZES:
        text = f"{count} records came, and nothing says whether there are more"
        yield note(f"{text}: if lists are paged, set 'paging'.", "paging")


def _said_by(exchange: Exchange) -> str:
    """Return the name of the header that says how many records there are; without one, it is the answer."""
    names: Iterable[str] = ("X-Total-Count", "X-WP-Total", "Content-Range")
    return next((name for name in names if name.lower() in exchange.headers), "The answer")


def _named_pages(exchange: Exchange, answer: object, endpoint: Endpoint) -> Iterator[Finding]:
    """Yield the next pages that the target names where the route does not look for them."""
    if next_link(exchange.headers.get("link", "")):
        settings: dict[str, Any] = {"paging": "link", "page_name": "", "first_page": 1}
        yield wrong("It names a next page in the header Link: set 'paging' to 'link'.", "paging", settings=settings)
    for name, value in exchange.headers.items():
        if plain(name.replace("-", "")) in ("nextpage", "xnextpage", "nexturl", "xnext") and value:
            is_number = value.strip().isdecimal()
            cure = "'page'" if is_number else f"'header' and 'page_name' to '{name.title()}'"
            settings = {"paging": "page"} if is_number else {"paging": "header", "page_name": name.title()}
            text = f"It names a next page in the header {name.title()}: set 'paging' to {cure}."
            yield wrong(text, "paging", settings=settings | {"next_field": ""})
    for path, value in places(answer):
        if plain(path) == "href" and plain(path.rpartition(".")[0]) == "next" and isinstance(value, str):
            settings = {"paging": "link", "page_name": "", "next_field": path}
            yield wrong(f"It names a next page in '{path}': set 'next' to that.", "next_field", settings=settings)
        is_record = endpoint.answers.items and path.startswith(f"{endpoint.answers.items}.")
        if is_record or not NEXT.fullmatch(plain(path)) or not isinstance(value, str | int) or value in ("", False):
            continue
        is_address = str(value).startswith(("http://", "https://", "/", "?"))
        paging = "'link'" if is_address else "'cursor' and 'page_name' to its parameter"
        settings = {"paging": "link" if is_address else "cursor", "page_name": "", "next_field": path}
        text = f"It names a next page in '{path}': set 'next' to that, 'paging' to {paging}."
        yield wrong(text, "next_field", settings=settings)
