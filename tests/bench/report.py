"""Medians, ratios and aims, as a table of two contenders."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from .scene import Figures
from .server import CORES

PACKAGES = ("gunicorn", "gevent", "flask")


@dataclass(frozen=True)
class Aim:
    """How good a figure of toastkit's must be: itself, or in relation to the other's."""

    limit: float
    at_least: bool = False
    relative: bool = False

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return f"{sign} {self.limit:,g}{' x' if self.relative else ''}"

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


AIMS = {
    "CPU s per million deliveries": Aim(0.55, relative=True),
    "KiB per idle connection": Aim(2),
    "handshakes/s": Aim(0.95, at_least=True, relative=True),
    "HTTP, 16 at once: publishes/s": Aim(1200, at_least=True),
    "HTTP, 16 at once: max ms": Aim(50),
    "HTTP, 500/s: p50 ms": Aim(1),
    "HTTP, 500/s: p99 ms": Aim(3),
    "HTTP, 500/s: max ms": Aim(15),
    "inside, 16 at once: publishes/s": Aim(5000, at_least=True),
    "inside, to many: us each": Aim(110),
    "session found, remembered: p50 us": Aim(3),
}
STANDSTILL = Aim(200)
"""Whatever is measured, the loop must serve others between."""


def aim_of(name: str) -> Aim | None:
    """Return how good that figure must be."""
    return STANDSTILL if "standstill" in name else AIMS.get(name)


@dataclass(frozen=True)
class Row:
    """One figure: of each round that of the first contender, and the second's if it has one."""

    name: str
    first: list[float]
    second: list[float]

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.first, self.second, strict=False) if b]

    def cells(self) -> tuple[str, ...]:
        aim = aim_of(self.name)
        return (
            self.name,
            spread(self.first),
            spread(self.second),
            spread(self.ratios),
            str(aim or ""),
            "" if aim is None else ("met" if self.meets(aim) else "MISSED"),
        )

    def meets(self, aim: Aim) -> bool:
        if aim.relative:
            return aim.met(median(self.ratios))
        # Nobody may wait longer than that: of a maximum, the worst round counts.
        return aim.met(max(self.first) if "max" in self.name else median(self.first))


def rows(rounds: list[dict[str, Figures]]) -> list[Row]:
    """Gather the rounds; not everything that the first does has a like in the other contender."""
    first, second = rounds[0]
    return [
        Row(
            name,
            [one[first][name] for one in rounds],
            [one[second][name] for one in rounds if name in one[second]],
        )
        for name in rounds[0][first]
    ]


def spread(values: list[float]) -> str:
    """Write a median with its least and greatest."""
    if not values:
        return "-"
    middle = median(values)
    if len(values) == 1:
        return short(middle)
    return f"{short(middle)} ({short(min(values))}-{short(max(values))})"


def short(value: float) -> str:
    """Write three digits, more of large numbers."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def table(rounds: list[dict[str, Figures]]) -> str:
    """Write every row, and what the columns are."""
    head = ("", *rounds[0], "ratio", "aim", "")
    cells = [head, *(line.cells() for line in rows(rounds))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([text[0], "-" * sum(widths), *text[1:]])


def machine(packages: Iterable[str]) -> str:
    """Write what this ran on, with the versions of these packages."""
    packages = ", ".join(f"{name} {version(name)}" for name in (*PACKAGES, *packages))
    cores = f"{len(CORES)} core{'s' * (len(CORES) != 1)}"
    return f"{cores}, Python {platform.python_version()}, {packages}"
