"""Uniform draws that depend on nothing but the seed.

By default, Hypothesis draws constants from all loaded modules, and makes six of seven examples by repeating parts of
the seventh: the situations reached would be few, and change with other tests.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, PrimitiveProvider

NAME = "even"


@contextmanager
def even(seed: int) -> Iterator[str]:
    """Register a provider and yield its name for `settings(backend=…)`, a documented extension point of Hypothesis."""

    class Even(PrimitiveProvider):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.random = random.Random(seed)

        def draw_boolean(self, p: float = 0.5) -> bool:
            return self.random.random() < p

        def draw_integer(self, min_value: int | None = None, max_value: int | None = None, **_: Any) -> int:
            assert min_value is not None
            assert max_value is not None
            return self.random.randint(min_value, max_value)

        # A provider must have these; the machines draw none of them.
        def draw_float(self, **_: Any) -> float:
            raise NotImplementedError

        def draw_string(self, *_: Any, **__: Any) -> str:
            raise NotImplementedError

        def draw_bytes(self, *_: Any, **__: Any) -> bytes:
            raise NotImplementedError

    AVAILABLE_PROVIDERS[NAME] = Even
    try:
        yield NAME
    finally:
        del AVAILABLE_PROVIDERS[NAME]
