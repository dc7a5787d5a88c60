"""Suggest how the fields of a model map to those of a record, by the likeness of names and the form of values."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import copy
from difflib import get_close_matches
from typing import Any

from django.db import models

from syncer.models import Route
from syncer.models.mapping import unroutable
from syncer.targets.guide import Example
from syncer.targets.rest.findings import plain
from syncer.targets.rest.formats import FORMATS, NOT_WRITABLE, formats_of

EPOCH_MS = 10**11  # milliseconds since 1970 are more than this, seconds less
ALIKE = 0.8  # of difflib's ratio: `colour` and `color` are alike
OTHER_WORDS = (  # that systems use for the same thing; the last name of a place
    {"title", "name", "subject", "headline", "label"},
    {"body", "content", "text", "description", "notes", "details"},
    {"productname", "product", "name", "title"},
    {"quantity", "qty", "amount", "pieces", "count"},
    {"status", "state"},
    {"createdat", "created", "date", "ordered", "timestamp"},
    {"externalid", "reference", "ref"},
    {"email", "mail"},
)


def suggest(route: Route, values: Mapping[str, Any], example: Example) -> Route:
    """Return the route with the fields, formats and lookup that fit best; without a record, with our own names."""
    result = copy(route)
    result.fields = _fields(route, values)
    result.formats = dict(_formats(result, values, example))
    result.lookup = result.default_lookup()
    return result


def _fields(route: Route, values: Mapping[str, Any]) -> dict[str, str]:
    """Return `{"remote name": "local field"}`; equal names are matched before alike ones, and those before others."""
    lacking = unroutable(route.declaration, {route.model, *route.models_beside()})
    local = [name for name in route.declaration.mappable if name not in lacking]
    free = [name for name in values if name != route.id_field and name not in route.constants]
    if not free:
        return {name: name for name in route.declaration.fields if name in local and name != route.id_field}
    chosen: dict[str, str] = {}
    for likeness in (_equal, _alike, _same_meaning):
        for name in local:
            rest = [place for place in free if place not in chosen]
            if name not in chosen.values() and (place := likeness(route, name, rest)):
                chosen[place] = name
    if not chosen:
        return {name: name for name in route.declaration.fields if name in local and name != route.id_field}
    order = {name: number for number, name in enumerate(local)}
    return dict(sorted(chosen.items(), key=lambda pair: order[pair[1]]))


def _spellings(route: Route, name: str) -> list[str]:
    """Return the plain forms of a local name; a foreign key `post` is `postid` elsewhere."""
    is_key = name in route.declaration.fields and route.declaration.model._meta.get_field(name).is_relation
    word = re.sub(r"[^a-z0-9]", "", name.lower())
    return [word, f"{word}id"] if is_key else [word]


def _equal(route: Route, name: str, places: list[str]) -> str:
    spellings = _spellings(route, name)
    fitting = [place for place in places if plain(place) in spellings or plain(place.replace(".", "")) in spellings]
    return min(fitting, key=lambda place: place.count("."), default="")


def _alike(route: Route, name: str, places: list[str]) -> str:
    by_word = {plain(place): place for place in reversed(places)}
    alike = [found for word in _spellings(route, name) for found in get_close_matches(word, by_word, 1, ALIKE)]
    return by_word[alike[0]] if alike else ""


def _same_meaning(route: Route, name: str, places: list[str]) -> str:
    """Return the place with another word for a field; a computed field is only taken for its own name."""
    if name in route.declaration.computed:
        return ""
    words = {word for group in OTHER_WORDS for word in group if {*_spellings(route, name)} & group}
    return next((place for place in places if plain(place) in words), "")


def _formats(route: Route, values: Mapping[str, Any], example: Example) -> Iterator[tuple[str, str]]:
    """Yield the format of each mapped place whose value has another form than ours would have."""
    for place, name in route.fields.items():
        theirs, ours = values.get(place), example.values.get(name)
        if theirs is None or ours is None or _form(theirs) == _form(ours):
            continue
        fitting = (one for one, value in written(route, name, ours).items() if _form(value) == _form(theirs))
        if found := next(fitting, ""):
            yield place, found


def _form(value: object) -> tuple[str, str]:
    """Return what makes two values alike in form: the type, and where a text of a time or a number has its digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number", "ms" if abs(value) > EPOCH_MS else ""
    text = value if isinstance(value, str) else ""
    if re.match(r"\d{4}-\d\d-\d\d|\d\d:\d\d", text):
        return "text", re.sub(r"\d", "0", text)
    if re.fullmatch(r"-?\d+\.\d+", text):
        return "text", re.sub(r"\d", "0", text.partition(".")[2])
    return type(value).__name__, ""


def written(route: Route, name: str, value: object) -> dict[str, object]:
    """Return what each format that fits a local field makes of its JSON value."""
    if value is None:
        return {}
    names = list(FORMATS)
    if name in route.declaration.fields:
        column: models.Field[Any, Any] = route.declaration.model._meta.get_field(name)  # type: ignore[assignment]
        names = formats_of(column)
    result: dict[str, object] = {}
    for form in names:
        try:
            result[form] = json.loads(json.dumps(FORMATS[form].write(value)))
        except NOT_WRITABLE:
            continue
    return result
