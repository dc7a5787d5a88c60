"""Search over everything, from each page's header: content, targets, objects at targets, people, and the lists by name.

- A person finds what their lists show: each model is asked by its own admin, for whoever may view it.
- The cost does not grow with the number of objects: each model is asked for a few rows, in no order, and nothing is
  counted. A text is found by the index of the model's `searched` columns. SQLite has none, nor has PostgreSQL without
  pg_trgm: there only the newest NEWEST objects are looked at, and the page says so.
- Nothing is kept: the next search sees a permission that was taken away, and an object that is gone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib.admin import ModelAdmin
from django.contrib.admin.sites import AdminSite
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from backoffice.kit.pages import site_page
from backoffice.kit.urls import admin_url
from content.base.models import ContentModel
from content.base.search import is_indexed

# Beside the content: small tables, and one that is found by its keys only.
OTHERS = ("syncer.Target", "syncer.Binding", "accounts.User")
SHORTEST = 3  # characters: the index is of trigrams, and fewer characters fit nearly everything
LONGEST = 100
WORDS = 5  # further ones are left out
EACH = 5  # objects of a model that are shown
NEWEST = 50_000  # objects of a model: some 50 ms


@dataclass(frozen=True)
class Found:
    """One result: an object, or a list."""

    title: str
    kind: str  # what it is, in words
    url: str


@dataclass(frozen=True)
class Results:
    """What a search found.

    Attributes:
        more: for each kind with more than EACH objects, its list with all of them.
        newest: how many of a kind were looked at; None: all.
    """

    found: list[Found]
    more: list[Found]
    newest: int | None


def view(request: HttpRequest, site: AdminSite) -> TemplateResponse:
    """Answer the page of the search, or only its results if the page's script asks (`part=1`)."""
    term = request.GET.get("s", "").replace("\0", "").strip()[:LONGEST]
    context = {"term": term, "shortest": SHORTEST, "results": results(request, site, term) if term else None}
    if "part" in request.GET:
        return TemplateResponse(request, "search_results.html", context)
    return site_page(request, "search.html", title=_("Search"), admin_site=site, **context)


def results(request: HttpRequest, site: AdminSite, term: str) -> Results:
    """Return what `term` finds for the request's user."""
    found, more = list(_lists(request, site, term)), list[Found]()
    admins = list(_admins(request, site))
    for admin in admins:
        objects = _objects(request, admin, term)
        found += [
            Found(str(one), str(admin.opts.verbose_name), admin_url(admin.model, "change", one.pk))
            for one in objects[:EACH]
        ]
        if len(objects) > EACH:
            plural = str(admin.opts.verbose_name_plural)
            more.append(
                Found(plural, plural, f"{admin_url(admin.model, 'changelist')}?{urlencode({SEARCH_VAR: term})}")
            )
    is_partial = len(term) >= SHORTEST and any(_has_older(admin.model) for admin in admins)
    return Results(found, more, NEWEST if is_partial else None)


def _lists(request: HttpRequest, site: AdminSite, term: str) -> Iterator[Found]:
    """Yield the lists whose names hold the term."""
    for app in site.get_app_list(request):
        for model in app["models"]:
            if model["admin_url"] and term.lower() in str(model["name"]).lower():
                yield Found(str(model["name"]), _("list"), model["admin_url"])


def _admins(request: HttpRequest, site: AdminSite) -> "Iterator[ModelAdmin[Any]]":
    """Yield the admins of the models that are searched and that the user may view, content first."""
    content = (model for model in apps.get_models() if issubclass(model, ContentModel) and model.searched)
    for model in (*content, *map(apps.get_model, OTHERS)):
        admin = site.get_model_admin(model)
        if admin.has_view_permission(request):
            yield admin


def _objects(request: HttpRequest, admin: "ModelAdmin[Any]", term: str) -> list[Any]:
    """Return up to one more than EACH of a model's objects: the one with that key first."""
    rows = admin.get_queryset(request).order_by()
    found = [one for key in _keys(admin, term) for one in rows.filter(pk=key)]
    if len(term) >= SHORTEST:
        matching = _with_text(request, admin, rows, term).exclude(pk__in=[one.pk for one in found])
        found += matching[: EACH + 1 - len(found)]
    return found


def _keys(admin: "ModelAdmin[Any]", term: str) -> list[Any]:
    """Return the term as a key of the model, if it is one."""
    try:
        return [admin.opts.pk.clean(term, None)]
    except ValidationError:
        return []


def _with_text(request: HttpRequest, admin: "ModelAdmin[Any]", rows: "QuerySet[Any]", term: str) -> "QuerySet[Any]":
    """Return the rows that hold each word of the term."""
    model = admin.model
    if not issubclass(model, ContentModel):
        return admin.get_search_results(request, rows, term)[0].order_by()
    if not is_indexed(rows.db):
        rows = rows.filter(pk__in=_newest_keys(model)[:NEWEST])
    words = term.split()[:WORDS]
    return rows.filter(*(reduce(or_, (Q((f"{name}__icontains", word)) for name in model.searched)) for word in words))


def _newest_keys(model: type[models.Model]) -> "QuerySet[Any, Any]":
    return model._default_manager.order_by("-pk").values("pk")


def _has_older(model: type[models.Model]) -> bool:
    """Return whether a model has objects that are not looked at."""
    keys = _newest_keys(model)
    return issubclass(model, ContentModel) and not is_indexed(keys.db) and keys[NEWEST : NEWEST + 1].exists()
