"""The kind `peer`: another back office that shares objects with this one, both ways."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Required

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from ninja import Router
from typing_extensions import TypedDict  # before Python 3.12 pydantic can't read typing's own

from backoffice.kit.phrases import phrase
from syncer.core.decide import Action
from syncer.models import Binding, Route, Run, Target
from syncer.models.mapping import parent_errors
from syncer.models.routemap import RouteMap
from syncer.targets.base import LOST_CLAIMS, Kind, Pages, register
from syncer.targets.configuration import CommonKeys, Configuration, Text, strict
from syncer.targets.peer import PEER, checks, identity
from syncer.targets.peer.message import LARGEST
from syncer.targets.peer.outbound import handshake, push
from syncer.targets.peer.replicas import wire_key
from syncer.targets.previews import Planned


@strict
class PeerTable(TypedDict, total=False):
    node: Required[Text]
    user: Required[Text]
    matching: Text


@strict
class PeerRoute(TypedDict, total=False):
    model: Required[Text]
    natural_key: list[Any]
    max_deletes: int
    authority: dict[str, Any]
    enabled: bool
    trigger: Text


@strict
class PeerTarget(CommonKeys, total=False):
    peer: Required[PeerTable]
    routes: list[PeerRoute]


NATURAL_KEY = _(
    "The fields by which objects that both ends already had are matched, where their keys differ, such as "
    "product_name and created_at. Without rows: by their keys alone."
)


class Peer(Kind):
    name = PEER
    label = _("Another back office, both ways")
    target_columns = ("peer_node", "peer_user", "matching")
    route_columns = ("authority", "matched_at")
    done = {"push": "pushed"}
    configuration = Configuration(
        table=PeerTarget,
        columns={
            "peer.node": "peer_node",
            "peer.user": "peer_user",
            "peer.matching": "matching",
            "natural_key": "lookup",
        },
    )
    nothing = phrase("Nothing to send: the peer has seen all that was edited here.")
    is_two_way = True
    batch = LARGEST
    pages = Pages(
        target_facts=((_("What is known of it"), {"fields": ("contact_at", "peer_writer", "acknowledged_writer")}),),
        route=(
            (
                _("Objects that both ends have or edited"),
                {
                    "fields": ("authority", "lookup", "max_deletes", "matched_at"),
                    "description": _("Both ends must say the same here."),
                },
            ),
        ),
        binding=((_("What the peer has seen"), {"fields": ("seen_there",)}),),
        labels={"lookup": (_("Natural key"), NATURAL_KEY)},
        links=((_("Both ends"), "admin:syncer_target_pair"),),
    )

    deliver = staticmethod(push.deliver)
    introduce = staticmethod(handshake.introduce)

    def target_errors(self, target: Target) -> Mapping[str, str]:
        if not target.peer_node:
            return {"peer_node": gettext("A peer needs the other back office's name, its BACKOFFICE_NODE.")}
        if target.peer_node == settings.NODE:
            text = gettext("This is %(node)s itself; name the other back office.")
            return {"peer_node": text % {"node": settings.NODE}}
        if target.peer_user_id is None:
            return {"peer_user": gettext("A peer needs the account that it signs in with here.")}
        return {}

    def route_errors(self, route: Route) -> Iterator[tuple[str, Iterable[ValidationError]]]:
        declaration = route.declaration
        yield "model", checks.model_errors(declaration)
        yield "model", parent_errors(declaration, self.carried(route), {route.model, *route.models_beside()})
        yield "lookup", checks.natural_key_errors(declaration, route.lookup)
        yield "authority", checks.authority_errors(declaration, route.authority, checks.other_authorities(route))

    def carried(self, route: Route) -> Mapping[str, str]:
        return {name: name for name in route.shared}

    def not_ready(self, route: Route) -> str:
        return checks.not_matched(route)

    def is_introduced(self, target: Target) -> bool:
        """Return whether the peer knows our incarnation; until then nothing is sent to it."""
        target.refresh_from_db(fields=["acknowledged_writer"])
        return target.acknowledged_writer == identity.writer()

    def preview(self, routes: RouteMap, route: Route, keys: Sequence[str]) -> Iterator[Planned]:
        for key, fields in push.unseen_objects(route, keys):
            yield Planned(action=Action.PUSH, name=f"{route.model}:{key}", record=wire_key(key), fields=fields)

    def routers(self) -> Sequence[Router]:
        from syncer.targets.peer.inbound.api import router as changes  # here, so that a worker does not load the API
        from syncer.targets.peer.pair.api import router as pair

        return (changes, pair)

    def requests(self, run: Run) -> int:
        """Return the number of batches: each object has its own attempt, with the time at which its batch left."""
        return run.attempts.values("at").distinct().count()

    def distrust(self, route: Route) -> None:
        """Invalidate deliveries under way, and deliver rejected objects again.

        The version vectors noted for the peer stay valid. The peer may have seen edits of ours that are lost here: from
        now on a new incarnation signs edits, and the peer sends back everything it has.
        """
        Binding.objects.filter(route=route).update(token=F("token") + LOST_CLAIMS, rejected=None)


register(Peer())
