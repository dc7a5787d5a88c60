"""The engine's pages. Each module registers its models."""

from syncer.admin import binding, notice, route, run, target

__all__ = ["binding", "notice", "route", "run", "target"]
