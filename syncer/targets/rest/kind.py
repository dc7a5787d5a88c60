"""The kind `rest`: a service with one record for each object, changed by POST, PUT or PATCH, and DELETE."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Required

from django.core.exceptions import ValidationError
from django.db.models import Case, F, Value, When
from django.utils.translation import gettext_lazy as _
from typing_extensions import TypedDict  # before Python 3.12 pydantic can't read typing's own

from backoffice.kit import clock
from backoffice.kit.phrases import phrase
from syncer.core.decide import Action, Known, can_replay, changes, decide
from syncer.models import Binding, Route
from syncer.models.routemap import RouteMap
from syncer.targets.base import LOST_CLAIMS, Kind, Pages, Step, register
from syncer.targets.configuration import CommonKeys, Configuration, Text, strict
from syncer.targets.previews import Planned
from syncer.targets.rest import REST, dialect_checks, payload_checks
from syncer.targets.rest.adopt import adopt_all
from syncer.targets.rest.deliver import deliver
from syncer.targets.rest.formats import samples
from syncer.targets.rest.payload import load, readable
from syncer.targets.rest.preview_adoption import preview_adoptions
from syncer.targets.rest.setup.guide import RestGuide
from syncer.targets.rest.trial import try_target


@strict
class RestRoute(TypedDict, total=False):
    model: Required[Text]
    path: Required[Text]
    fields: Required[dict[str, Any]]
    enabled: bool
    create_path: Text
    lookup: list[Any]
    filter: dict[str, Any]
    trigger: Text
    update: Text
    missing: Text
    key_hours: int
    existing: Text
    max_deletes: int
    item_path: Text
    own_id: Text
    send_id: bool
    if_match: bool
    constants: dict[str, Any]
    values: dict[str, Any]
    formats: dict[str, Any]
    wrap: Text
    record: Text
    ok: Text
    error: Text
    id: Text
    items: Text
    next: Text
    paging: Text
    page_name: Text
    first_page: int
    total: Text
    query: dict[str, Any]


@strict
class RestTarget(CommonKeys, total=False):
    headers: dict[str, Any]
    query: dict[str, Any]
    routes: list[RestRoute]


class Rest(Kind):
    name = REST
    label = _("REST service")
    target_columns = ("headers", "query")
    route_columns = (
        *("path", "create_path", "item_path", "fields", "filter", "constants", "values", "formats", "own_id"),
        *("send_id", "if_match", "wrap", "record", "ok", "error"),
        *("items_field", "next_field", "page_name", "total", "query"),
    )
    done = {"create": "created", "replay": "created", "update": "updated", "delete": "deleted"}
    configuration = Configuration(
        table=RestTarget, columns={"id": "id_field", "items": "items_field", "next": "next_field"}
    )
    formats = samples()
    guide = RestGuide()
    nothing = phrase("Nothing to send: everything was accepted by the target.")
    pages = Pages(
        route=(
            (
                _("What is sent, and where"),
                {
                    "fields": ("path", "fields", "lookup", "filter"),
                    "description": _(
                        "A plain REST service needs no more than this. The sections below are for others."
                    ),
                },
            ),
            (
                _("Values"),
                {
                    "fields": ("constants", "values", "formats"),
                    "description": _("For a target that expects other values than ours."),
                    "classes": ("collapse",),
                },
            ),
            (
                _("Records"),
                {
                    "fields": ("update", "create_path", "item_path", "id_field", "own_id", "send_id", "wrap"),
                    "description": _("How one record is created, addressed and changed."),
                    "classes": ("collapse",),
                },
            ),
            (
                _("Answers"),
                {
                    "fields": ("record", "ok", "error"),
                    "description": _(
                        "Where an answer has the record, and how it says that a request was refused. Names inside "
                        "others are written with dots: data.attributes."
                    ),
                    "classes": ("collapse",),
                },
            ),
            (
                _("Lists"),
                {
                    "fields": ("items_field", "total", "paging", "page_name", "first_page", "next_field", "query"),
                    "description": _("How the target lists its records: to find one, to compare, to import."),
                    "classes": ("collapse",),
                },
            ),
            (
                _("Safety"),
                {
                    "fields": ("existing", "missing", "max_deletes", "key_hours", "if_match"),
                    "description": _("What prevents double, overwritten and deleted records."),
                    "classes": ("collapse",),
                },
            ),
        ),
        binding=(
            (_("What the target accepted"), {"fields": ("agreed_now",)}),
            (
                _("A create without an answer"),
                {
                    "fields": (("create_at", "create_key"), "create_to", "create_body_now"),
                    "classes": ("collapse",),
                },
            ),
        ),
        links=((_("Try it"), "admin:syncer_target_try"),),
        shown_for={
            "page_name": (
                "paging",
                (Route.Paging.HEADER, Route.Paging.CURSOR, Route.Paging.PAGE, Route.Paging.OFFSET),
            ),
            "first_page": ("paging", (Route.Paging.PAGE,)),
            "next_field": ("paging", (Route.Paging.LINK, Route.Paging.CURSOR)),
        },
    )

    trial = staticmethod(try_target)
    adoptions = staticmethod(preview_adoptions)
    deliver = staticmethod(deliver)
    prepare = staticmethod(adopt_all)

    def steps(self, routes: RouteMap) -> list[Step]:
        """Deletes first, children before their parents; then, parents first, updates and creates of each route.

        So a new record finds the name free that an old one had.
        """
        ordered = routes.parents_first
        steps = [Step(route=route, has_record=True, is_wanted=False) for route in reversed(ordered)]
        for route in ordered:
            steps.append(Step(route=route, has_record=True, is_wanted=True))
            steps.append(Step(route=route, has_record=False))
        return steps

    def route_errors(self, route: Route) -> Iterator[tuple[str, Iterable[ValidationError]]]:
        for column, error in chain(payload_checks.errors(route), dialect_checks.errors(route)):
            yield column, [error]

    def carried(self, route: Route) -> Mapping[str, str]:
        fields: Mapping[str, str] = route.fields
        return fields

    def default_lookup(self, route: Route) -> list[str]:
        """Return the remote names of the model's natural key; empty unless the route sends the whole key."""
        remote_names = {local: remote for remote, local in route.fields.items()}
        names = [remote_names.get(local, "") for local in route.declaration.natural_key]
        return names if all(names) else []

    def preview(self, routes: RouteMap, route: Route, keys: Sequence[str]) -> Iterator[Planned]:
        live = load(routes, route, keys)
        bindings = {row.object_key: row for row in Binding.objects.filter(route=route, object_key__in=keys)}
        for key in keys:
            binding = bindings.get(key)
            known = binding.known if binding else Known()
            payload = live[key].payload if key in live else None
            if key in live and live[key].fault and known.create_body is None:
                record = binding.record if binding else None
                fault = {"reason": (None, live[key].fault)}
                yield Planned(action=Action.REJECT, name=f"{route.model}:{key}", record=record, fields=fault)
                continue
            replays = binding is not None and can_replay(
                binding, clock.now(), key_hours=route.key_hours, account=route.target.account
            )
            action = decide(known, payload, can_look_up=route.can_look_up, can_replay=replays)
            if action is Action.NOTHING:
                continue
            sent = (known.create_body if action is Action.REPLAY else payload) or {}
            old = known.agreed if known.remote_id else None
            yield Planned(
                action=action,
                name=f"{route.model}:{key}",
                record=binding.record if binding else None,
                fields={name: ((old or {}).get(name), value) for name, value in readable(changes(old, sent)).items()},
            )

    def distrust(self, route: Route) -> None:
        """Send or delete every object that has a record, even if it seems equal; look up all others before a create.

        An unanswered create is not repeated under its key, for its answer may have come after the backup.
        """
        bindings = Binding.objects.filter(route=route)
        bindings.filter(in_doubt=False).update(create_at=None)
        has_record = When(remote_id__isnull=False, then=Value(value=True))
        bindings.update(
            token=F("token") + LOST_CLAIMS,
            rejected=None,
            look_first=True,
            unconfirmed=Case(has_record, default=F("unconfirmed")),
        )


register(Rest())
