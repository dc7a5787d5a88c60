"""Silent writes: rows whose live state differs from their newest history row."""


def sweep() -> int:
    """Look where it is time to; how many looks were asked for."""
    return 0
