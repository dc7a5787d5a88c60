"""Telling operators that a target is not well, and that it is well again."""
