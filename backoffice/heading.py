"""The heading of a page: the way to it, as links, and its own name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.text import capfirst

from backoffice.kit.urls import admin_url


@dataclass(frozen=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True)
class Heading:
    """Where a page is: `parents`, from the outermost in, and its `name`."""

    parents: list[Link]
    name: str


def heading_of(context: Mapping[Any, Any]) -> Heading:
    """Return the heading of the page with this context, of Django's admin or of our own.

    A list is named by what it lists, the form of an object by the object, every other page by its title. Where the
    path names the object already, a page may give a shorter `heading`, and the title `Preview: Fake API` is cut. For an
    object that is a key as a string, a page may give its `parent_name`.
    """
    opts, stored, title = context.get("opts"), _stored(context), str(context.get("title") or "")
    if not opts:
        return Heading([], title)
    parents = list(_lists(context, opts))
    if context.get("cl"):
        return Heading(parents, capfirst(str(opts.verbose_name_plural)))
    if stored is None or _is_of_object(context, opts):
        is_form = stored is not None and "adminform" in context
        return Heading(parents, str(context.get("heading") or (stored if is_form else title)))
    url = admin_url(type(stored), "change", stored.pk)
    name = str(context.get("parent_name") or stored)
    return Heading([*parents, Link(name, url)], str(context.get("heading") or title.removesuffix(f": {stored}")))


def _lists(context: Mapping[Any, Any], opts: Any) -> Iterator[Link]:
    """Yield the page of the app, unless it is called like its one list, and the list unless the page is the list."""
    app, names = _app(context, opts), str(opts.verbose_name_plural)
    if app.text.lower() != names.lower():
        yield app
    if not context.get("cl"):
        yield Link(capfirst(names), admin_url(opts.model, "changelist"))


def _app(context: Mapping[Any, Any], opts: Any) -> Link:
    """Return the app under which the navigation has the model, which may be another than its own."""
    for app in context.get("available_apps", ()):
        if any(model["model"]._meta is opts for model in app["models"]):
            return Link(str(app["name"]), app["app_url"])
    return Link(str(opts.app_config.verbose_name), reverse("admin:app_list", args=[opts.app_label]))


def _stored(context: Mapping[Any, Any]) -> Model | None:
    found = context.get("original") or context.get("object")
    return found if isinstance(found, Model) else None


def _is_of_object(context: Mapping[Any, Any], opts: Any) -> bool:
    """Tell whether the page is the object's own, rather than one below it."""
    own: bool = context["request"].resolver_match.url_name == f"{opts.app_label}_{opts.model_name}_change"
    return own
