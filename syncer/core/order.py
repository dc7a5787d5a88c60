"""The order in which routes are delivered."""

from collections.abc import Mapping


def parents_first(parents: Mapping[str, set[str]]) -> list[str]:
    """The names in `parents` (`{"child": {"parent", …}}`), each after all of its parents.

    A name that is its own parent (a tree in one model) is no obstacle; parents that are not names here are ignored.

    Raises:
        ValueError: some names are each other's parents.
    """
    ordered: list[str] = []
    left = {name: above & parents.keys() - {name} for name, above in parents.items()}
    while left:
        ready = [name for name, above in left.items() if above <= set(ordered)]
        if not ready:
            raise ValueError(f"These are each other's parents: {', '.join(sorted(left))}.")
        ordered += ready
        left = {name: above for name, above in left.items() if name not in ready}
    return ordered
