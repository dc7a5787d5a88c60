"""Contestants that do the same work in turns, and the figures that come out of it."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

SMOKE = bool(os.environ.get("BENCH_SMOKE"))
ROUNDS = 1 if SMOKE else 5
TINY = 1e-9  # a tiny work may take no tick of CPU time


def pick(full: int, smoke: int) -> int:
    """Return the size of a work: `smoke` where only the benchmark itself is tried."""
    return smoke if SMOKE else full


def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One way to do the work.

    Attributes:
        work: does the work once; returns how many units it did.
        cpu: returns the CPU seconds that all processes that do the work have used so far.
        prepare: called before each round, and not measured.
        clock: returns the seconds on the clock.
    """

    name: str
    work: Callable[[], int]
    cpu: Callable[[], float]
    prepare: Callable[[], object] = nothing
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True)
class Cost:
    """What one unit of the work takes, in seconds: the medians of all rounds."""

    clock: float
    cpu: float


def race(*contestants: Contestant, rounds: int = ROUNDS) -> dict[str, Cost]:
    """Let the contestants take turns, so that other load affects all alike; return their costs by name."""
    spent: dict[str, list[Cost]] = {one.name: [] for one in contestants}
    for _ in range(rounds):
        for one in contestants:
            one.prepare()
            cpu, clock = one.cpu(), one.clock()
            units = one.work()
            clock, cpu = one.clock() - clock, one.cpu() - cpu
            spent[one.name].append(Cost(clock / units, cpu / units))
    return {
        name: Cost(statistics.median(cost.clock for cost in costs), statistics.median(cost.cpu for cost in costs))
        for name, costs in spent.items()
    }


def within(seconds: float, *, each: float, sizes: Sequence[int]) -> int:
    """Return the largest of `sizes` that takes at most `seconds` at `each` seconds a unit, or the smallest."""
    return max((size for size in sizes if size * each <= seconds), default=min(sizes))


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A row of the table: two values, what they are to be to one another, and whether they are.

    Attributes:
        line: the name by which `python -m bench` runs it.
        rival: the other value: a rival's, a limit, or our own with fewer rows.
        goal: what `ratio` is to be: at least, or with `at_most` at most.
        beside: further values, by name; they decide nothing.
    """

    line: str
    work: str
    against: str
    unit: str
    ours: float
    rival: float
    ratio: float
    goal: float | None
    at_most: bool = False
    beside: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        return self.goal is None or (self.ratio <= self.goal if self.at_most else self.ratio >= self.goal)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"met": self.is_met}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(**{name: value for name, value in values.items() if name in cls.__dataclass_fields__})


def faster(
    line: str, work: str, ours: Cost, rival: Cost, *, against: str, goal: float | None, by: str = "cpu"
) -> Figure:
    """Return how many times as fast we are: in CPU time, or with `by="clock"` on the clock."""
    one, other = getattr(ours, by), getattr(rival, by)
    also = "clock" if by == "cpu" else "cpu"
    names = {"cpu": "CPU", "clock": "clock"}
    beside = {f"{names[also]} ms": getattr(ours, also) * 1000}
    if getattr(rival, also):  # a limit has none
        beside[f"{names[also]} ms, rival"] = getattr(rival, also) * 1000
    return Figure(
        line=line,
        work=work,
        against=against,
        unit=f"ms {names[by]}",
        ours=one * 1000,
        rival=other * 1000,
        ratio=other / max(one, TINY),
        goal=goal,
        beside=beside,
    )


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table of Markdown."""
    rows = [("line", "work", "against", "unit", "rival", "ours", "ratio", "goal", "met", "beside")]
    rows.append(("---", "---", "---", "---", "---:", "---:", "---:", "---:", "---", "---"))
    for figure in figures:
        goal = "" if figure.goal is None else f"{'≤' if figure.at_most else '≥'} {figure.goal:g}"
        met = "" if figure.goal is None else "yes" if figure.is_met else "**no**"
        beside = ", ".join(f"{name} {short(value)}" for name, value in figure.beside.items())
        values = (short(figure.rival), short(figure.ours), short(figure.ratio))
        rows.append((figure.line, figure.work, figure.against, figure.unit, *values, goal, met, beside))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def short(value: float) -> str:
    """Return three digits of a number: 0.123, 1.23, 12.3, 12,345."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
