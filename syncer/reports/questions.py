"""The questions that wait for a person, grouped by target, so that many can be answered at once."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count as Rows

from backoffice.kit.estimates import MOST
from syncer.core.state import QUESTIONS, Question
from syncer.models import Binding, Target
from syncer.models.binding import ASKED, BLOCKED, FACTS, where
from syncer.targets.rest import REST


@dataclass(frozen=True, kw_only=True)
class Group:
    """The objects of one target about which one question is asked."""

    target: Target
    question: Question
    number: int
    is_more: bool  # whether there are more: only the first MOST of all are counted

    @property
    def name(self) -> str:
        """The question as the list's filter names it."""
        return self.question.name.lower()


def groups() -> list[Group]:
    """Return the groups that are not empty, by target and question; two statements, however many objects wait."""
    asked = Binding.objects.filter(BLOCKED, ASKED, route__target__kind=REST).order_by("pk").values("pk")[: MOST + 1]
    columns = {one.name: Rows("pk", filter=where(QUESTIONS, one, FACTS)) for one in Question}
    rows: Any = (
        Binding.objects.filter(pk__in=asked).order_by("route__target").values("route__target").annotate(**columns)
    )
    found: list[dict[str, int]] = list(rows)
    targets = Target.objects.in_bulk([row["route__target"] for row in found])
    is_more = sum(row[one.name] for row in found for one in Question) > MOST
    return [
        Group(target=targets[row["route__target"]], question=one, number=row[one.name], is_more=is_more)
        for row in found
        for one in Question
        if row[one.name]
    ]
