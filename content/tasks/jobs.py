"""The jobs that enrich and summarize many items. A failed item is reported, and the job goes on with the others."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from backoffice.kit.api.problems import ProblemError
from backoffice.kit.jobs.models import Job
from backoffice.kit.jobs.progress import Progress
from backoffice.kit.jobs.service import start
from backoffice.kit.permissions import Person
from content.tasks import services
from content.tasks.models import Item

RESERVE = 120  # seconds: no item is begun later than this before the worker would be killed


def begin(work: Callable[..., None], items: list[int], *, user: Any) -> Job:
    """Start a job of `work`, which is `enrich` or `summarize`, with the items of these keys."""
    path = f"{__name__}.{work.__name__}"
    return start(path, user=user, title=_title(work, items), total=len(items), arguments={"items": items})


def _title(work: Callable[..., None], items: list[int]) -> str:
    titles = {
        enrich: (_("Enrich item %(key)s"), _("Enrich %(number)s items")),
        summarize: (_("Summarize item %(key)s"), _("Summarize %(number)s items")),
    }
    one, many = titles[work]
    return one % {"key": items[0]} if len(items) == 1 else many % {"number": len(items)}


def enrich(progress: Progress, *, items: list[int]) -> None:
    _each(progress, items, services.enrich)


def summarize(progress: Progress, *, items: list[int]) -> None:
    _each(progress, items, services.summarize)


def _each(progress: Progress, keys: list[int], do: Callable[[Item], Item]) -> None:
    """Call `do` with each item, and report the items that fail.

    Raises:
        ProblemError: 403: the user who started the job has lost the permission since.
    """
    user = progress.user
    if refusal := Person(user).refusal(Item, "change"):
        raise ProblemError(403, refusal)
    items = Item.objects.visible_to(user)
    ends = time.monotonic() + settings.Q_CLUSTER["timeout"] - RESERVE
    for number, key in enumerate(keys):
        if time.monotonic() > ends:
            text = _("It was not begun: the time for one job was over. Choose the rest again.")
            progress.fail_all((_("item %(key)s") % {"key": late}, text) for late in keys[number:])
            return
        item = items.filter(pk=key).first()
        try:
            if item is None:
                raise ProblemError(404, _("It was deleted meanwhile."))
            do(item)
        except ProblemError as error:
            progress.fail(_("item %(key)s") % {"key": key}, error.detail)
        else:
            progress.advance()
