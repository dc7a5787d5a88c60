"""What becomes of unanswered creates when their route is changed: the form and `sync_configure` say so."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from syncer.models import Binding, Route

FOUND_BY = frozenset({"path", "create_path", "item_path", "lookup", "fields", "id_field", "own_id"})


def unanswered(route: Route, changed: Iterable[str]) -> str:
    """Return the sentence that says how the route's unanswered creates are looked for; empty if nothing is to be said.

    Args:
        route: with its new values.
        changed: the columns that were changed.
    """
    if FOUND_BY.isdisjoint(changed) or route.pk is None:
        return ""
    creates = Binding.objects.filter(route=route, create_body__isnull=False, in_doubt=False).order_by("pk")
    sent_as = list(creates.values_list("create_as", flat=True))
    if not sent_as:
        return ""
    where = "; ".join(dict.fromkeys(_where(route, terms or {}) for terms in sent_as))
    text = ngettext(
        "%(number)d create of this route is unanswered; it is looked for as it was sent: %(where)s.",
        "%(number)d creates of this route are unanswered; they are looked for as they were sent: %(where)s.",
        len(sent_as),
    )
    return text % {"number": len(sent_as), "where": where}


def _where(route: Route, terms: Mapping[str, Any]) -> str:
    """Return where a create is looked for, and by what; `terms` are those under which it was sent."""
    path, lookup = terms.get("path") or route.path, terms.get("lookup") or route.lookup
    if terms.get("own_id"):
        return _("at %(path)s by the id that we gave it") % {"path": path}
    if not lookup:
        return _("at %(path)s, by a person, for there is no lookup") % {"path": path}
    return _("at %(path)s by %(names)s") % {"path": path, "names": ", ".join(lookup)}
