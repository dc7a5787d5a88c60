"""List records of a route that is being set up, and fit its columns to what the answer looks like."""

import time
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from syncer.core.answers import MISSING, UnreadableError, at
from syncer.core.outcome import Exchange
from syncer.engine.sender import Sender
from syncer.models import Route
from syncer.targets.guide import Sampled
from syncer.targets.previews import Finding, Severity
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.findings import Judged, judge, note, places, wrong
from syncer.targets.rest.setup.records import values_of
from syncer.targets.rest.trial import SECONDS, with_short_timeout

ROUNDS = 6  # columns that one answer may correct
TRIED = 6  # paths
NO_LIST = ("path", "auth", "")  # the columns of findings about answers that are no list


def likely_paths(route: Route) -> list[str]:
    """Return `/posts` and `/posts/` for news.Post, then other spellings of its name."""
    meta = route.declaration.model._meta
    plural = str(meta.verbose_name_plural).lower()
    names = (plural.replace(" ", "-"), f"{meta.model_name}s", plural.replace(" ", "_"), str(meta.model_name))
    return list(dict.fromkeys(path for name in names for path in (f"/{name}", f"/{name}/")))


def sample(route: Route, paths: Sequence[str]) -> Sampled:
    """List records at the first of these paths that has a list. Nothing is written."""
    ends, first = time.monotonic() + SECONDS, None
    with Sender(with_short_timeout(route.target)) as sender:
        if why := sender.sign_in():
            text = _("The sign-in does not work: %(target)s %(why)s.") % {
                "target": route.target,
                "why": why.rstrip("."),
            }
            return Sampled(route=route, findings=(wrong(sender.mask.hide(text), "auth"),))
        for path in paths[:TRIED]:
            asked = copy(route)
            asked.path = path
            sampled = _sampled(sender, asked, ends)
            first = first or sampled
            if sampled.is_listed:
                return sampled
    return first or Sampled(route=route, findings=(wrong(_("Enter the path of the records."), "path"),))


def _sampled(sender: Sender, route: Route, ends: float) -> Sampled:
    """List records at the route's path, and correct the route by the answer."""
    bare = _bare(route)
    sent = sender.run(sender.exchange(Endpoint.of(bare).list_page(), ends))
    if sent is None:
        text = _("%(path)s was not asked: the time of a trial was over.") % {"path": route.path}
        return Sampled(route=route, findings=(wrong(text, "path"),))
    judged, learned = _fit(bare, sent.exchange)
    if any(one.severity is Severity.WRONG and one.column in NO_LIST for one in judged.findings):
        return Sampled(route=route, findings=_masked(sender, judged.findings))
    findings = [*judged.findings]
    if judged.record is not MISSING:
        _fit_record(sender, bare, judged.record, ends)
        learned |= {name: getattr(bare, name) for name in ("record",) if getattr(bare, name)}
    for name, value in (learned | _json_api(judged.record)).items():
        setattr(bare, name, value)
        setattr(route, name, value)
    if learned:
        findings.append(note(_("Set to fit its answers: %(columns)s.") % {"columns": _named(route, learned)}))
    values = values_of(judged.record) if judged.record is not MISSING else {}
    return Sampled(
        route=route,
        findings=_masked(sender, findings),
        is_listed=_is_list(sent.exchange, bare),
        values={name: sender.mask.hide(value) if isinstance(value, str) else value for name, value in values.items()},
    )


def _bare(route: Route) -> Route:
    """Return the route as if it sent nothing: what its mapping lacks is not what is asked here."""
    bare = copy(route)
    bare.fields, bare.lookup, bare.constants = {}, [], {}
    return bare


def _fit(route: Route, exchange: Exchange) -> tuple[Judged, dict[str, Any]]:
    """Correct the route's columns by what is found in an answer; return what is left to find, and what was learned."""
    learned: dict[str, Any] = {}
    for _round in range(ROUNDS):
        judged = judge(exchange, Endpoint.of(route))
        settings = next((one.settings for one in judged.findings if one.settings), {})
        if not settings or settings.items() <= learned.items():
            break
        for name, value in settings.items():
            setattr(route, name, value)
        learned |= settings
    return judged, learned


def _is_list(exchange: Exchange, route: Route) -> bool:
    try:
        return isinstance(at(exchange.answer, route.items_field), list)
    except UnreadableError:
        return False


def _fit_record(sender: Sender, route: Route, record: Any, ends: float) -> None:
    """Ask for the first record alone, and set the place where the answer has it: `data`."""
    remote_id = Endpoint.of(route).answers.id_of(record)
    if remote_id is None:
        return
    sent = sender.run(sender.exchange(Endpoint.of(route).get(remote_id), ends))
    if sent is None or sent.exchange.status != 200:
        return
    try:
        answer = sent.exchange.answer
    except UnreadableError:
        return
    answers = Endpoint.of(route).answers
    found = [path for path, value in _tables(answer) if answers.id_of(value) == remote_id]
    route.record = found[0] if found else ""


def _tables(answer: object) -> Iterator[tuple[str, Any]]:
    yield "", answer
    yield from ((path, value) for path, value in places(answer) if isinstance(value, Mapping))


def _json_api(record: object) -> dict[str, Any]:
    """Return the columns that JSON:API asks for, where a record looks like one of it (jsonapi.org, 7.2)."""
    if not isinstance(record, Mapping) or not isinstance(record.get("attributes"), Mapping) or "type" not in record:
        return {}
    return {
        "wrap": "data",
        "send_id": True,
        "update": Route.Update.PATCH,
        "constants": {"type": record["type"]},
    }


def _named(route: Route, learned: Mapping[str, Any]) -> str:
    """Return the columns that were set, as their form calls them: `items = data, id = _id`."""
    labels = {field.name: str(field.verbose_name) for field in Route._meta.fields}
    return ", ".join(f"{labels[name]} = {getattr(route, name)}" for name in learned)


def _masked(sender: Sender, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(replace(one, text=sender.mask.hide(one.text)) for one in findings)
