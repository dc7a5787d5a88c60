"""The page of recent changes, over all content that the person may see."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern, path
from django.utils.dateparse import parse_date
from django.utils.safestring import SafeString
from django.utils.timezone import localdate, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.kit.numbers import key_number
from backoffice.kit.pages import site_page
from backoffice.kit.permissions import Person, hides_rows
from backoffice.kit.urls import admin_url
from content.base.changes.reading import LOOKED_THROUGH, Positions, Wanted, page, versions_before
from content.base.changes.recent import visible_models
from content.base.changes.titles import title_of
from content.base.chips import state_chips
from content.base.versions import Difference, differences
from syncer import public

URL_NAME = "content_changes"
DAYS = {"today": 0, "yesterday": 1, "week": 7}  # words for days in the address, by how long ago they are
KINDS = {"+": gettext_lazy("Added"), "~": gettext_lazy("Changed"), "-": gettext_lazy("Deleted")}
NAME = 256  # characters of an account's name


@dataclass(frozen=True, kw_only=True)
class Change:
    """One row of the page."""

    record: Any  # the history row
    model: type[Model]
    title: str
    url: str  # of the object's history
    differences: Sequence[Difference]
    states: SafeString | str

    @property
    def name(self) -> str:
        return str(self.model._meta.verbose_name)

    @property
    def kind(self) -> str:
        return str(KINDS[self.record.history_type])

    @property
    def fields(self) -> str:
        """The labels of the fields that changed."""
        return ", ".join(label for label, _difference in self.differences)


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the URL of the page, for the admin site."""

    def view(request: HttpRequest) -> HttpResponse:
        return changes_view(site, request)

    return [path("changes/", site.admin_view(view), name=URL_NAME)]


def changes_view(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Show what was changed, the latest first, with filters."""
    models: list[type[Model]] = [model for model in visible_models(request) if site.is_registered(model)]
    given = request.GET
    chosen = [model for model in models if model._meta.label == given.get("model")] or models
    since, until = _day(given.get("since", "")), _day(given.get("until", ""))
    wanted = Wanted(
        models=chosen,
        person=given.get("by", "").replace("\0", "").strip()[:NAME],
        since=_beginning(since),
        until=_beginning(until + timedelta(days=1)) if until else None,
        kind=given.get("kind", "") if given.get("kind") in KINDS else "",
    )
    rows, following = page(wanted, _positions(given.get("after", "")), partial(_visible, request))
    changes = _changes(request, rows)
    return site_page(
        request,
        "content/changes.html",
        title=_("Recent changes"),
        admin_site=site,
        changes=changes,
        has_states=any(change.states for change in changes),
        models=[(model._meta.label, model._meta.verbose_name_plural) for model in models],
        kinds=KINDS.items(),
        wanted=wanted,
        label=given.get("model", ""),
        since=since,
        until=until,
        shortcuts=_shortcuts(request, since),
        next=_with(given, after=_cursor(following)) if following else "",
        looked_through=LOOKED_THROUGH,
    )


def _visible(request: HttpRequest, rows: Iterable[Any]) -> list[Any]:
    """Return the rows of objects that exist for the person."""
    person = Person(request.user)
    hiding: dict[type[Model], bool] = {}
    seen = []
    for row in rows:
        model = type(row.instance)
        if model not in hiding:
            hiding[model] = hides_rows(model, person)
        if not hiding[model] or row.instance.is_visible_to(request.user):
            seen.append(row)
    return seen


def _changes(request: HttpRequest, rows: Sequence[Any]) -> list[Change]:
    """Return the rows as the page shows them; what they need is read for each model at once."""
    by_model: dict[type[Model], list[Any]] = {}
    for row in rows:
        by_model.setdefault(type(row.instance), []).append(row)
    before, states = {}, {}
    for model, found in by_model.items():
        changed = [row for row in found if row.history_type == "~"]
        before[model] = versions_before(model, changed) if changed else {}
        states[model] = public.object_states(model, {row.instance.pk for row in found})
    made = []
    for row in rows:
        model = type(row.instance)
        older = before[model].get(row.history_id)
        made.append(
            Change(
                record=row,
                model=model,
                title=title_of(row),
                url=admin_url(model, "history", row.instance.pk),
                differences=differences(model, older, row, request.user) if older else [],
                states=state_chips(states[model].get(row.instance.pk, [])),
            )
        )
    return made


def _day(text: str) -> date | None:
    if text in DAYS:
        return localdate() - timedelta(days=DAYS[text])
    try:
        return parse_date(text)
    except ValueError:  # such as February 30th
        return None


def _beginning(day: date | None) -> datetime | None:
    return make_aware(datetime.combine(day, time())) if day else None


def _shortcuts(request: HttpRequest, since: date | None) -> list[tuple[str, str, bool]]:
    """Return links to the changes of some days: their text, their address and whether the page shows them."""
    texts = {"today": _("Today"), "yesterday": _("Since yesterday"), "week": _("Last 7 days")}
    return [
        (text, _with(request.GET, since=word, until="", after=""), since == _day(word) and not request.GET.get("until"))
        for word, text in texts.items()
    ]


def _with(query: QueryDict, **values: str) -> str:
    """Return the address of the page with these parameters; an empty value removes one."""
    changed = query.copy()
    for name, value in values.items():
        changed.pop(name, None)
        if value:
            changed[name] = value
    return f"?{changed.urlencode()}"


def _cursor(positions: Positions) -> str:
    """Return the positions as a parameter, `news.Post:5,news.Comment:7`."""
    return ",".join(f"{label}:{number}" for label, number in positions.items())


def _positions(text: str) -> Mapping[str, int]:
    """Return the positions of a parameter; parts that can't be read are left out."""
    parts = (part.partition(":") for part in text.split(","))
    return {label: number for label, _colon, digits in parts if (number := key_number(digits)) is not None}
