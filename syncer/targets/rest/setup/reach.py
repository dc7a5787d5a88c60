"""Ask for a target's address, without signing in or signed in, and say in words what came back."""

import time
from collections.abc import Iterator, Mapping
from copy import copy
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from backoffice.kit.addresses import check_url, may_be_private
from backoffice.kit.http import Request
from backoffice.kit.phrases import phrase
from syncer.core.answers import UnreadableError
from syncer.core.outcome import Exchange
from syncer.engine.sender import Sender, Sent
from syncer.models import Target
from syncer.targets.guide import Reached
from syncer.targets.previews import Finding, Severity
from syncer.targets.rest.findings import note, wrong
from syncer.targets.rest.trial import SECONDS, with_short_timeout

SHOWN = 2000  # characters of an answer
PATHS = 12  # that an answer names


def without_sign_in(target: Target) -> Target:
    """Return a copy of the target that is asked without a credential."""
    bare = copy(target)
    bare.auth, bare.auth_secret = Target.Auth.NONE, ""
    return bare


def reach(target: Target, *, signed: bool) -> Reached:
    """Ask for the target's address.

    Args:
        signed: whether to sign in first; if not, no secret leaves this node.
    """
    tried = with_short_timeout(target if signed else without_sign_in(target))
    with Sender(tried) as sender:
        if signed and (why := sender.sign_in()):
            text = _("The sign-in does not work: %(target)s %(why)s.") % {"target": target, "why": why.rstrip(".")}
            return Reached(findings=(wrong(sender.mask.hide(text), "auth"),))
        sent = sender.run(sender.exchange(Request(method="GET", url=target.url), time.monotonic() + SECONDS))
        if sent is None:
            return Reached(findings=(wrong(_("The address was not asked: the time of a trial was over.")),))
        findings = tuple(_judged(target, sent.exchange, signed=signed))
        return Reached(
            findings=tuple(
                Finding(
                    severity=one.severity, text=sender.mask.hide(one.text), column=one.column, settings=one.settings
                )
                for one in findings
            ),
            request=f"GET {sent.request.url}",
            answered=_answered(sent),
            excerpt=sender.mask.hide(sent.exchange.text[:SHOWN]) if sent.exchange.silence is None else "",
            paths=_paths(target, sent.exchange),
        )


def _answered(sent: Sent) -> str:
    """Return status, type and time of an answer: `200 OK, application/json, 35 ms`."""
    if sent.exchange.silence is not None or sent.exchange.status is None:
        return ""
    status = sent.exchange.status
    phrase = HTTPStatus(status).phrase if status in {*HTTPStatus} else ""
    kind = sent.exchange.headers.get("content-type", "").partition(";")[0]
    return ", ".join(filter(None, (f"{status} {phrase}".strip(), kind, f"{sent.milliseconds} ms")))


def _judged(target: Target, exchange: Exchange, *, signed: bool) -> Iterator[Finding]:
    """Yield what an answer to the address itself says; that of its lists comes with the paths."""
    if exchange.silence is not None:
        yield wrong(phrase("%(target)s %(why)s.", target=str(target), why=exchange.why), "url")
        return
    status = exchange.status or 0
    if 300 <= status < 400 and (moved := _moved(target, exchange)):
        yield moved
    elif status in (401, 403):
        yield _refused(target, status, signed=signed)
    elif status == 429:
        yield wrong(_("%(target)s answered 429: it wants fewer requests. Try again later.") % {"target": target})
    elif status >= 500:
        words = {"target": target, "status": status}
        yield wrong(_("%(target)s answered %(status)s, so it has a fault of its own. Try again later.") % words)
    elif status >= 300:
        words = {"target": target, "status": status}
        text = _("%(target)s answers. At the address itself it has nothing (%(status)s), as many APIs do.") % words
        yield note(text)
    else:
        yield _answers(target, exchange)
    if target.url.lower().startswith("http:") and not may_be_private(target.url):
        text = _("The address is not encrypted: whoever is between can read what is sent. Use https if there is one.")
        yield note(text, "url")


def _moved(target: Target, exchange: Exchange) -> Finding | None:
    """Return the finding of a redirect, with the address it leads to; None where only a final slash differs."""
    parts = urlsplit(urljoin(target.url, exchange.headers.get("location", "")))
    address = urlunsplit(parts._replace(query="", fragment=""))
    if address.rstrip("/") == target.url.rstrip("/"):
        return None
    try:
        check_url(address)
    except ValidationError:
        return wrong(_("%(target)s redirects to an address that can't be used.") % {"target": target}, "url")
    words = {"target": target, "status": exchange.status, "address": address}
    text = _(
        "%(target)s answered %(status)s and redirects to %(address)s. Redirects are not followed: take that address if "
        "the API is there."
    )
    return wrong(text % words, "url", settings={"url": address})


def _refused(target: Target, status: int, *, signed: bool) -> Finding:
    words = {"target": target, "status": status}
    if not signed:
        text = _("%(target)s answers, and wants a sign-in (%(status)s), which is the next step.") % words
        return Finding(severity=Severity.FINE, text=text)
    if status == 401:
        return wrong(
            _("%(target)s refused the sign-in (401): check the way of signing in and the secret.") % words, "auth"
        )
    text = _("%(target)s answered 403 at the address itself: the account may not look there. Its records may be open.")
    return note(text % words, "auth")


def _answers(target: Target, exchange: Exchange) -> Finding:
    """Return the finding of an answer with status 2xx: JSON, or something else."""
    try:
        answer = exchange.answer
    except UnreadableError:
        kind = exchange.headers.get("content-type", "").partition(";")[0] or _("an unknown type")
        text = _(
            "%(target)s answered with %(kind)s, not with JSON: this may be the address of a web page. Is the API at "
            "another one, such as %(api)s?"
        )
        return note(text % {"target": target, "kind": kind, "api": f"{target.url.rstrip('/')}/api"}, "url")
    names = _(" It names: %(names)s.") % {"names": ", ".join(map(str, [*answer][:8]))} if _is_table(answer) else ""
    return Finding(severity=Severity.FINE, text=_("%(target)s answers.") % {"target": target} + names)


def _is_table(answer: object) -> bool:
    return isinstance(answer, Mapping) and bool(answer)


def _paths(target: Target, exchange: Exchange) -> tuple[str, ...]:
    """Return the paths below the address that the answer names, `{"posts": "https://api.example.com/v1/posts/"}`."""
    try:
        answer: Any = exchange.answer if exchange.silence is None else None
    except UnreadableError:
        return ()
    root = urlsplit(target.url.rstrip("/"))
    paths: list[str] = []
    for value in answer.values() if isinstance(answer, Mapping) else ():
        if not isinstance(value, str) or not value.startswith(("http://", "https://", "/")):
            continue
        parts = urlsplit(urljoin(target.url, value))
        path = parts.path.removeprefix(root.path)
        is_below = parts.hostname == root.hostname and parts.path.startswith(root.path) and path.strip("/")
        if is_below and not any(mark in path for mark in "{}?#% \t\r\n"):
            paths.append(path)
    return tuple(dict.fromkeys(paths))[:PATHS]
