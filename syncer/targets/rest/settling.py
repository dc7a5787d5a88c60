"""What the end of a delivery to a REST service writes; `core/settle.py` has the rules."""

import random
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from backoffice.kit import clock
from syncer.core.decide import Action
from syncer.core.delivery import Changes, Delivery
from syncer.core.lookup import candidates
from syncer.core.outcome import Outcome
from syncer.core.settle import End, Terms, changes_after, taken_id
from syncer.engine.sender import SendResult
from syncer.engine.settling import Settler
from syncer.models import Binding, Route


@dataclass(frozen=True, kw_only=True)
class RestSettler(Settler):
    """Settles creates, updates, deletes and look-ups."""

    def changes(self, delivery: Delivery, result: SendResult) -> Changes:
        verdict, found = result.verdict, list[str]()
        if delivery.action is Action.LOOKUP and verdict and verdict.outcome is Outcome.DONE:
            found = self._candidates(delivery, result)
        end = End(
            action=delivery.action, known=delivery.binding.known, sent=delivery.sent, verdict=verdict, found=found
        )
        terms = Terms(
            id_field=self.route.id_field,
            recreate=self.route.missing == Route.Missing.RECREATE,
            request_seconds=self.sender.client.request_seconds,
        )
        now, jitter = clock.now(), random.random()  # noqa: S311 - no secret
        changes = changes_after(delivery.binding.claim, end, terms, now=now, jitter=jitter)
        if delivery.action in (Action.CREATE, Action.UPDATE) and changes.get("agreed") is not None:
            changes["parent_id"] = delivery.parent
        return changes

    def _candidates(self, delivery: Delivery, result: SendResult) -> list[str]:
        """The records that may be the one looked for; one that is bound belongs to another object."""
        body, id_field = delivery.like or {}, self.route.id_field
        found = candidates(result.records, body, id_field=id_field, bound=())
        bound = Binding.objects.filter(route=self.route, remote_id__in=found).values_list("remote_id", flat=True)
        return candidates(result.records, body, id_field=id_field, bound={str(one) for one in bound})

    def write(self, delivery: Delivery, changes: Changes) -> bool:
        """As for any target; a record's id that another object's binding has already is not taken."""
        if "remote_id" not in changes:
            return super().write(delivery, changes)
        try:
            with transaction.atomic():
                return super().write(delivery, changes)
        except IntegrityError:
            taken = taken_id(delivery.binding.claim, delivery.action, changes["remote_id"])
            return super().write(delivery, taken | {"lease_until": None})
