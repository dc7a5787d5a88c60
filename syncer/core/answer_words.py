"""What a target answered, in words: JSON as people read it, and what it says about single fields."""

import json
from collections.abc import Collection, Iterator, Mapping

from backoffice.kit.phrases import Phrase, joined, phrase

MOST = 20  # values of one answer
DEEPEST = 4  # levels
NAMES = ("field", "loc", "path", "property", "attribute", "param", "name", "source", "pointer")
MESSAGES = ("message", "msg", "detail", "description", "reason", "error", "title", "code")


def in_words(text: str) -> str:
    """Return a JSON text as words: `{"title": ["is taken"]}` is `title: is taken`; any other text as it is."""
    value = _read(text)
    if not isinstance(value, dict | list):
        return text
    return joined((f"{name}: {said}" if name else said for name, said in lines(value)), "; ")


def reason_in_words(reason: str) -> str:
    """Return why a try failed, with the answer that it quotes in words: `answered 422: title: is taken`."""
    return reason.map(in_words) if isinstance(reason, Phrase) else reason


def lines_of(answer: str) -> list[tuple[str, str]]:
    """Return an answer as `lines` of its JSON; of any other text, the text itself."""
    value = _read(answer)
    return lines(value) if isinstance(value, dict | list) else [("", answer)] if answer.strip() else []


def lines(value: object) -> list[tuple[str, str]]:
    """Return the values inside a JSON value, each with the names that lead to it: `[("title", "is taken"), …]`."""
    found = [*_walk(value, (), DEEPEST)]
    more = len(found) - MOST
    return found[:MOST] + ([("", phrase("and %(number)s more", number=more))] if more > 0 else [])


def complaints(answer: str, fields: Collection[str]) -> dict[str, str]:
    """Return what an answer says about each of these fields: `{"title": "is taken"}`.

    Known shapes: `{"title": ["…"]}`, also inside another object, and lists of `{"field": "title", "message": "…"}` or
    `{"loc": ["body", "title"], "msg": "…"}`.
    """
    said: dict[str, list[str]] = {}
    for name, text in _about(_read(answer), frozenset(fields), DEEPEST):
        said.setdefault(name, []).append(text)
    return {name: " ".join(dict.fromkeys(texts)) for name, texts in said.items()}


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _walk(value: object, names: tuple[str, ...], levels: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and levels and value:
        for name, inner in value.items():
            yield from _walk(inner, (*names, str(name)), levels - 1)
    elif isinstance(value, list) and levels and any(isinstance(one, dict | list) for one in value):
        for one in value:
            yield from _walk(one, names, levels - 1)
    elif value not in (None, "", [], {}):
        yield ", ".join(names), _text(value)


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _about(value: object, fields: frozenset[str], levels: int) -> Iterator[tuple[str, str]]:
    if not levels:
        return
    if isinstance(value, Mapping):
        named = _named(value)
        if named in fields and (text := next((_text(value[key]) for key in MESSAGES if value.get(key)), "")):
            yield str(named), text
            return
        for name, inner in value.items():
            if name in fields and inner:
                yield str(name), " ".join(text for _, text in lines(inner)) if isinstance(inner, dict) else _text(inner)
            else:
                yield from _about(inner, fields, levels - 1)
    elif isinstance(value, list):
        for one in value:
            yield from _about(one, fields, levels - 1)


def _named(value: Mapping[str, object]) -> str:
    """Return the field that an error is about, as `field`, the end of `loc`, or of a pointer `/data/title`."""
    for key in NAMES:
        place = value.get(key)
        if isinstance(place, Mapping):
            place = place.get("pointer") or place.get("parameter")
        if isinstance(place, list) and place:
            place = place[-1]
        if isinstance(place, str):
            return place.replace(".", "/").rpartition("/")[2]
    return ""
