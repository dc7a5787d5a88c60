"""The peer's presence: when it last spoke to this node, and its newest incarnation."""

from django.db import connection, transaction
from django.db.models import Q

from backoffice.kit import clock
from syncer.core.merge import node_of
from syncer.engine.plan import raise_all
from syncer.models import Binding, Route, Target


def record_contact(target: Target, writer: str) -> bool:
    """Record that the peer sent a request or an answer as the incarnation `writer`.

    A newer incarnation means that the peer was restored to an older state: the version vectors noted for it no longer
    hold, so they are cleared and all objects are compared again. The same happens if the target was another node's
    before.

    Returns:
        Whether `writer` is the newest incarnation of the peer that this node knows.
    """
    target.refresh_from_db(fields=["peer_writer"])
    is_other = target.peer_writer != "" and node_of(target.peer_writer) != node_of(writer)
    if is_other or writer > target.peer_writer:
        with transaction.atomic():
            _lock(target, "pg_advisory_xact_lock")
            if target.peer_writer:
                for route in Route.objects.filter(target=target).order_by("pk"):
                    raise_all(route)
                    Binding.objects.filter(route=route).update(peer_seen=None)
            # The target's row after the bindings: settling locks them in this order too.
            older = Q(peer_writer__lt=writer) | ~Q(peer_writer__startswith=f"{node_of(writer)}:")
            reset = {"acknowledged_writer": ""} if is_other else {}
            Target.objects.filter(older, pk=target.pk).update(peer_writer=writer, **reset)
        target.peer_writer = writer
    Target.objects.filter(pk=target.pk).update(contact_at=clock.now())
    return writer == target.peer_writer


def is_current(target: Target, writer: str) -> bool:
    """Return whether `writer` is the peer's newest incarnation, and keep that so until this transaction ends.

    Call this first in the transaction: otherwise a version vector could be noted while it is being cleared.
    """
    _lock(target, "pg_advisory_xact_lock_shared")
    return bool(writer) and Target.objects.filter(pk=target.pk, peer_writer=writer).exists()


def _lock(target: Target, function: str) -> None:
    """Take an advisory lock on PostgreSQL; on SQLite only one transaction writes at a time."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}('syncer_target'::regclass::oid::int, %s)", [target.pk])
