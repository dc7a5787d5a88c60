"""What we know of the peer itself: that it is there, and in which incarnation."""

from django.db import connection, transaction
from django.db.models import Q

from backoffice.kit import clock
from syncer.core.merge import node_of
from syncer.engine.plan import raise_all
from syncer.models import Binding, Route, Target


def heard(target: Target, writer: str) -> bool:
    """The peer spoke to us, or answered, as `writer`; whether that is its newest incarnation, as far as we know.

    A newer one than before was put back to an older state: what it had seen is not known any more, and all of it is
    compared again. So it is where the target was another node's before.
    """
    target.refresh_from_db(fields=["peer_writer"])
    is_other = target.peer_writer != "" and node_of(target.peer_writer) != node_of(writer)
    if is_other or writer > target.peer_writer:
        with transaction.atomic():
            _lock(target, "pg_advisory_xact_lock")
            if target.peer_writer:
                _forget(target)
            # After the bindings, as whoever settles does it.
            older = Q(peer_writer__lt=writer) | ~Q(peer_writer__startswith=f"{node_of(writer)}:")
            told = {"acknowledged_writer": ""} if is_other else {}
            Target.objects.filter(older, pk=target.pk).update(peer_writer=writer, **told)
        target.peer_writer = writer
    Target.objects.filter(pk=target.pk).update(contact_at=clock.now())
    return writer == target.peer_writer


def is_current(target: Target, writer: str) -> bool:
    """The peer's newest incarnation is `writer`, and stays so until this transaction ends. To be asked first in it.

    Else what the peer had seen could be noted just while it is being forgotten.
    """
    _lock(target, "pg_advisory_xact_lock_shared")
    return bool(writer) and Target.objects.filter(pk=target.pk, peer_writer=writer).exists()


def _lock(target: Target, function: str) -> None:
    """On SQLite one transaction writes at a time."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}('syncer_target'::regclass::oid::int, %s)", [target.pk])


def _forget(target: Target) -> None:
    for route in Route.objects.filter(target=target).order_by("pk"):
        raise_all(route)
        Binding.objects.filter(route=route).update(peer_seen=None)
