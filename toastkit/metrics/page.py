"""The text that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from .families import Family
from .totals import INF, Totals, spelled

if TYPE_CHECKING:
    from prometheus_client import Metric

TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""What every version of Prometheus understands, as the names of our series are plain."""


def text(metrics: Iterable[Metric]) -> bytes:
    """Write metrics down, by name."""
    from prometheus_client import generate_latest

    ordered = sorted(metrics, key=lambda metric: metric.name)
    registry: Any = SimpleNamespace(collect=lambda: ordered)
    return generate_latest(registry)


def metrics(totals: Totals) -> list[Metric]:
    """Return what one process has counted, for a process alone; on the loop."""
    from prometheus_client import Metric

    found: dict[Family, Metric] = {}
    for (family, suffix, labels), value in totals.values.items():
        metric = found.get(family)
        if metric is None:
            metric = found[family] = Metric(base(family), family.meaning, family.kind)
        if not suffix:
            metric.add_sample(family.name, dict(zip(family.labels, labels, strict=True)), value)
        elif suffix == "_sum":
            for name, told, number in _histogram(totals, family, labels):
                metric.add_sample(name, told, number)
    return list(found.values())


def base(family: Family) -> str:
    """Return a family's name without what every counter's ends with."""
    return family.name.removesuffix("_total")


def _histogram(
    totals: Totals, family: Family, labels: tuple[str, ...]
) -> Iterator[tuple[str, dict[str, str], float]]:
    named, count = dict(zip(family.labels, labels, strict=True)), 0.0
    for bound in (*map(spelled, family.buckets), INF):
        count += totals.values[family, "_bucket", (*labels, bound)]
        yield f"{family.name}_bucket", {**named, "le": bound}, count
    yield f"{family.name}_count", named, count
    yield f"{family.name}_sum", named, totals.values[family, "_sum", labels]
