"""Finding bindings by the word for their state: the database's side of `states.of_bindings`."""

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL

from backoffice.kit import clock
from syncer.core.errors import SyncError
from syncer.models import Replica, Route, mark
from syncer.models.binding import DUE
from syncer.models.mark import keys_of
from syncer.reports.states import State
from syncer.targets.base import two_way

FREE = Q(on_hold=False, in_doubt=False)
SETTLED = Q(wanted=F("delivered"), unconfirmed=False)
REJECTED = FREE & DUE & Q(rejected__gte=F("wanted"))
OPEN = FREE & DUE & (Q(rejected=None) | Q(rejected__lt=F("wanted")))


def having(state: State) -> Q:
    """For a queryset of bindings: their objects have this state now."""
    if state is State.ON_HOLD:
        return Q(on_hold=True)
    if state is State.CONFLICT:
        return Q(on_hold=False) & _conflicting()
    return _of_one_end(state) & ~_conflicting()


def _of_one_end(state: State) -> Q:
    """As far as the binding and our own history tell."""
    sending = Q(lease_until__gt=clock.now())
    resting = Q(lease_until=None) | Q(lease_until__lte=clock.now())
    match state:
        case State.IN_DOUBT:
            return Q(on_hold=False, in_doubt=True)
        case State.SENDING:
            return OPEN & sending
        case State.RETRYING:
            return OPEN & resting & Q(tries__gt=0)
        case State.REJECTED:
            return REJECTED & ~_changed()
        case State.IN_SYNC:
            return FREE & SETTLED & Q(remote_id__isnull=False) & ~_changed()
        case State.NOT_SYNCED:
            return FREE & SETTLED & Q(remote_id__isnull=True) & ~_changed()
        case _:  # pending
            return (OPEN & resting & Q(tries=0)) | ((REJECTED | (FREE & SETTLED)) & _changed())


def _conflicting() -> Q:
    """The object waits for a person, since a peer edited it too."""
    waiting = Replica.objects.waiting().filter(model=OuterRef("route__model"), object_key=OuterRef("object_key"))
    return Q(route__target__kind__in=two_way()) & Q(Exists(waiting))


def _changed() -> Q:
    """The object is to be looked at by the next plan."""
    found = Q(pk__in=[])
    for route in Route.objects.all():
        found |= _changed_on(route)
    return found


def _changed_on(route: Route) -> Q:
    if not route.mark or route.fingerprint != route.current_fingerprint():
        return Q(route=route)
    try:
        keys = keys_of(mark.changed_pks(route.declaration.model, route.mark), and_bound=None)
    except SyncError:
        return Q(route=route)
    return Q(route=route, object_key__in=RawSQL(keys.sql, keys.params))  # noqa: S611 - built from our own names only
