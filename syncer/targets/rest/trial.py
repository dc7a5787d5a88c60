"""Try a target: sign in, list one page of each route, and show one of our objects as the request it would become.

Nothing is written, there or here: the only requests are a sign-in and GETs, and no binding or circuit hears of them.
"""

import json
import time
from copy import copy
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit.http import Request
from backoffice.kit.phrase_field import localized
from backoffice.kit.phrases import message_of
from syncer.core.answers import MISSING
from syncer.core.decide import Known, Payload, update_body
from syncer.core.errors import TargetStoppedError
from syncer.engine.sender import Sender
from syncer.models import Binding, Route, Target
from syncer.models.keys import key_of
from syncer.models.routemap import RouteMap
from syncer.targets.previews import Finding, RouteTrial, Severity, Trial
from syncer.targets.rest.endpoint import Endpoint
from syncer.targets.rest.findings import judge, note, wrong
from syncer.targets.rest.payload import PARENT, Missing, load, readable

SECONDS = 30.0  # of a whole trial; a route whose turn comes later is not asked for
PATIENCE = 5  # seconds, at most, that one answer is waited for
LOOKED_AT = 20  # of our objects, to find one whose parents have records
SHOWN = 20_000  # characters of a record
ANY_KEY = UUID(int=0)
A_NEW_KEY = gettext_lazy("(a new one for each create)")


def try_target(target: Target) -> Trial:
    """Try a target and all of its routes, also the disabled ones."""
    tried = with_short_timeout(target)
    try:
        routes = RouteMap(tried)
        ordered = routes.ordered
    except TargetStoppedError as error:
        return Trial(findings=(wrong(f"{localized(message_of(error))}."),))
    words = {"target": target}
    findings = [] if target.enabled else [note(_("%(target)s is paused: nothing is sent.") % words, "enabled")]
    if not ordered:
        findings.append(wrong(_("%(target)s has no route yet: add one.") % words))
    ends = time.monotonic() + SECONDS
    with Sender(tried) as sender:
        if why := localized(sender.sign_in()):
            text = _("The sign-in does not work: %(target)s %(why)s.") % {**words, "why": why.rstrip(".")}
            return Trial(findings=(*findings, wrong(sender.mask.hide(text), "auth")))
        trials = tuple(_try_route(sender, routes, route, ends) for route in ordered)
    return Trial(findings=tuple(findings), routes=trials)


def with_short_timeout(target: Target) -> Target:
    """Return the target with a timeout that several requests of one page leave room for."""
    result = copy(target)
    result.timeout = min(target.timeout, PATIENCE)
    return result


def _try_route(sender: Sender, routes: RouteMap, route: Route, ends: float) -> RouteTrial:
    """List one page of the route's records, and write the request of one of its objects."""
    endpoint = Endpoint.of(route)
    findings = [] if route.enabled else [note(_("This route is disabled: nothing is sent."), "enabled")]
    listed = sender.run(sender.exchange(endpoint.list_page(), ends))
    record: Any = MISSING
    if listed is None:
        text = _("Its list was not asked for: the %(seconds)d s of a trial were over.")
        findings.append(wrong(text % {"seconds": SECONDS}))
    else:
        judged = judge(listed.exchange, endpoint)
        findings, record = [*findings, *judged.findings], judged.record
    name, request = example_of(routes, route)
    if isinstance(request, str):
        findings.append(Finding(severity=Severity.WRONG, text=request))
    text = "" if record is MISSING else json.dumps(record, indent=2, ensure_ascii=False)[:SHOWN]
    return RouteTrial(
        route=route,
        findings=tuple(
            Finding(severity=one.severity, text=sender.mask.hide(one.text), column=one.column) for one in findings
        ),
        name=name,
        request=written(sender.shown(request)) if isinstance(request, Request) else "",
        record=sender.mask.hide(text),
    )


def example_of(routes: RouteMap, route: Route) -> tuple[str, Request | str | None]:
    """Return the name of one of our objects, and its request, or why it can't be sent; nothing where we have none.

    One whose parents have records is preferred, and of those, the first.
    """
    model, endpoint = route.declaration.model, Endpoint.of(route)
    pks = routes.wanted(route).order_by("pk").values_list("pk", flat=True)[:LOOKED_AT]
    keys = [key_of(model, pk) for pk in pks]
    objects = load(routes, route, keys)
    if not objects:
        return "", None
    key = next((key for key in keys if key in objects and not objects[key].waits), next(iter(objects)))
    wanted, name = objects[key], f"{route.model}:{key}"
    if wanted.fault:
        return name, _("%(object)s can't be sent: %(why)s") % {"object": name, "why": wanted.fault}
    payload = readable(wanted.payload)
    binding = Binding.objects.filter(route_id=route.pk, object_key=key).first()  # the route may not be saved yet
    if binding is None or binding.remote_id is None:
        path = wanted.create_path.replace(str(Missing.PARENT), PARENT)
        request = endpoint.create(path, payload, ANY_KEY, wanted.own_id)
        headers = {name: str(A_NEW_KEY) if value == str(ANY_KEY) else value for name, value in request.headers.items()}
        return name, Request(method=request.method, url=request.url, body=request.body, headers=headers)
    etag = binding.etag if endpoint.if_match else ""
    return name, endpoint.update(binding.remote_id, _update(route, binding, payload, endpoint), etag)


def _update(route: Route, binding: Binding, payload: Payload, endpoint: Endpoint) -> Payload:
    """Return what an update would send; all fields where nothing differs now, so that there is something to see."""
    known: Known = binding.known
    patch = route.update == Route.Update.PATCH
    body = update_body(known, payload, patch=patch, always=endpoint.constants)
    return body if {*body} - endpoint.constants else payload


def written(request: Request) -> str:
    """Return a request as HTTP writes it, its body indented."""
    address = f"{request.url}?{urlencode(request.query)}" if request.query else request.url
    typed = {} if request.body is None else {"Content-Type": "application/json"}
    headers = typed | dict(request.headers)
    lines = [f"{request.method} {address}", *(f"{name}: {value}" for name, value in headers.items())]
    body = "" if request.body is None else "\n\n" + json.dumps(request.body, indent=2, ensure_ascii=False)
    return "\n".join(lines) + body
