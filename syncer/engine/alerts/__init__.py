"""Telling operators that a target is unhealthy, and that it is healthy again."""
