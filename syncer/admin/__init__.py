"""The engine's pages. Each module registers its models."""

from syncer.admin import alert, binding, conflict, route, run, target

__all__ = ["alert", "binding", "conflict", "route", "run", "target"]
