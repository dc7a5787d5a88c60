"""The person who looks after the targets, by what docs/operating.md says: every few seconds, in every target's page.

Blocked: look, then "Sync now". Rejected: look, then retry. In doubt: look at the other system, then say what is there.
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping

from django.db import InterfaceError, OperationalError, connection
from django.db.models import F

from backoffice.accounts.models import User
from syncer.core.errors import NotPossibleError
from syncer.core.settle import NOT_LISTED, PATIENCE
from syncer.models import Binding, Target
from syncer.models.binding import DUE, FACTS
from syncer.public import sync_bindings, sync_target
from syncer.targets.rest import doubt
from tests.chaos.marks import mark_in, mark_of
from tests.remote import Remote

EVERY = 2.0  # seconds


class Helper(threading.Thread):
    """A thread of the main process that works beside the run; `error` ended it early."""

    error: BaseException | None = None

    def work(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        try:
            self.work()
        except BaseException as error:
            self.error = error
            raise
        finally:
            connection.close()


class Operator(Helper):
    """Attributes:
    did: how often what was done.
    decided: when it said of a binding that its create had not arrived, in Unix time.
    """

    def __init__(self, remotes: Mapping[str, Remote]) -> None:
        super().__init__(name="operator", daemon=True)
        self.did: Counter[str] = Counter()
        self.decided: dict[int, list[float]] = {}
        self._remotes = remotes
        self._over = threading.Event()

    def stop(self) -> None:
        self._over.set()
        self.join()

    def work(self) -> None:
        while not self._over.wait(EVERY):
            try:
                self._round()
            except (OperationalError, InterfaceError):
                connection.close()
                self.did["lost the connection"] += 1

    def _round(self) -> None:
        user = User.objects.get(username="chaos")
        for target in Target.objects.exclude(blocked=""):
            sync_target(target, user=user)
            self.did["Sync now"] += 1
        rejected = Binding.objects.filter(DUE, FACTS["rejected"], in_doubt=False, route__target__blocked="")
        if found := list(rejected.select_related("route__target")):
            sync_bindings(found, user=user)
            self.did["retry"] += len(found)
        # The remote had lost the record of an accepted create before it was listed: as if an hour had passed.
        accepted = Binding.objects.filter(made=True, unconfirmed=True, reason=NOT_LISTED, tries__gt=1)
        self.did["an hour passes"] += accepted.update(create_at=F("create_at") - PATIENCE, not_before=None)
        for target in Target.objects.all():
            for binding in doubt.asked_of(target):
                self._decide(binding, user)

    def _decide(self, binding: Binding, user: User) -> None:
        """Whether the record is there is seen in the other system."""
        mark = mark_of(binding.route.model, int(binding.object_key))
        records = self._remotes[binding.route.target.name].records(binding.route.path)
        there = [key for key, record in records.items() if mark_in(record) == mark]
        looked = time.time()
        try:
            if there:
                doubt.decide(binding=binding, remote_id=there[0], user=user, seen=binding.token)
                self.did["it arrived"] += 1
            else:
                doubt.decide(binding=binding, remote_id=None, user=user, seen=binding.token)
                self.did["it did not arrive"] += 1
                self.decided.setdefault(binding.pk, []).append(looked)
        except NotPossibleError:
            self.did["too late to decide"] += 1
