"""Even draws that depend on nothing but the seed.

Hypothesis by itself takes constants out of whatever modules happen to be loaded, and makes six of seven examples by
repeating parts of the seventh: which situations come about would change with other tests, and be few.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, PrimitiveProvider

NAME = "even"


@contextmanager
def even(seed: int) -> Iterator[str]:
    """What `settings(backend=…)` is to be; an extension point that hypothesis documents."""

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
