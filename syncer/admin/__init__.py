"""The engine's pages. Each module registers its models."""

from syncer.admin import binding, conflict, notice, route, run, target

__all__ = ["binding", "conflict", "notice", "route", "run", "target"]
