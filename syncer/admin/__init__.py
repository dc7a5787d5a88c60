"""The engine's pages. Each module registers its models."""

from syncer.admin import binding, route, run, target

__all__ = ["binding", "route", "run", "target"]
