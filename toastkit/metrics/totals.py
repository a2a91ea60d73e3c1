"""What one process has counted so far."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from .families import Family

Labels = tuple[str, ...]
Sample = tuple[Family, str, Labels]
"""A family, what is put behind its name, and the values of its labels; of a bucket ``le`` last."""

INF = "+Inf"


class Totals:
    """Hold a number for each sample, and know which have changed. On the loop only.

    The bucket of an observation is the smallest it fits in; the larger ones are not counted along.
    """

    def __init__(self) -> None:
        self.values: dict[Sample, float] = {}
        self._changed: set[Sample] = set()

    def add(self, family: Family, *labels: str, by: float = 1.0) -> None:
        """Count something once, or ``by`` that much."""
        self._add((family, "", labels), by)

    def put(self, family: Family, value: float, *labels: str) -> None:
        """Say how a gauge stands."""
        sample = family, "", labels
        if self.values.get(sample) != value:
            self.values[sample] = value
            self._changed.add(sample)

    def observe(self, family: Family, value: float, *labels: str) -> None:
        """Count one value of a histogram."""
        place = bisect_left(family.buckets, value)
        bound = spelled(family.buckets[place]) if place < len(family.buckets) else INF
        if (family, "_sum", labels) not in self.values:
            self._begin(family, labels)
        self._add((family, "_bucket", (*labels, bound)), 1.0)
        self._add((family, "_sum", labels), value)

    def begin(self, families: Iterable[Family]) -> None:
        """Begin with what has no labels: a rise from nothing to one is not seen as one."""
        for family in families:
            if family.kind == "counter" and not family.labels:
                self._add((family, "", ()), 0.0)
            elif family.kind == "histogram" and not family.labels:
                self._begin(family, ())

    def changed(self) -> set[Sample]:
        """Return the samples that have changed since this was asked last."""
        changed, self._changed = self._changed, set()
        return changed

    def _begin(self, family: Family, labels: Labels) -> None:
        # All buckets at once: who reads them must know of those that are empty.
        for bound in (*map(spelled, family.buckets), INF):
            self._add((family, "_bucket", (*labels, bound)), 0.0)
        self._add((family, "_sum", labels), 0.0)

    def _add(self, sample: Sample, by: float) -> None:
        self.values[sample] = self.values.get(sample, 0.0) + by
        self._changed.add(sample)


def spelled(bound: float) -> str:
    """Return the upper bound of a bucket as Prometheus writes it."""
    return repr(float(bound))
