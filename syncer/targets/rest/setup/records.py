"""What a record shows, by dotted places, `{"author.id": 5, "title": "A"}`: what a person maps our fields to."""

from collections.abc import Iterator, Mapping
from typing import Any

from syncer.core.ids import is_id
from syncer.targets.rest.findings import DEPTH, IDS, plain

PLACES = 200  # of one record
TEXTS = ("raw", "rendered")  # WordPress shows {"raw": …, "rendered": …} where it takes a text


def values_of(record: object) -> dict[str, Any]:
    """Return what a record has at each of its places; a list is one value."""
    return dict(pair for pair, _ in zip(_values(record, "", DEPTH + 1), range(PLACES), strict=False))


def _values(value: object, above: str, depth: int) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        return
    for name, inner in value.items():
        path = f"{above}.{name}" if above else str(name)
        text = next((inner[one] for one in TEXTS if one in inner), None) if isinstance(inner, Mapping) else None
        if text is not None or depth == 0 or not isinstance(inner, Mapping) or not inner:
            yield path, inner if text is None else text
        else:
            yield from _values(inner, path, depth - 1)


def ids_of(values: Mapping[str, Any]) -> list[str]:
    """Return the places that can hold a record's id, likely ones first."""
    places = [name for name, value in values.items() if is_id(value)]
    return sorted(
        places, key=lambda name: (IDS.index(plain(name)) if plain(name) in IDS else len(IDS), name.count("."))
    )
