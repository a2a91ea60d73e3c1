"""Run a job and log its failure, or carry its result to whoever waits for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
log = logging.getLogger(__name__)


def guarded(job: Callable[..., Any], *args: Any) -> None:
    """Run a job nobody waits for; a failure is logged and goes no further."""
    try:
        job(*args)
    except Exception:
        log.exception("%r failed", job)


class Outcome(Generic[T]):
    """Carry a job's result, or its exception, from where it runs to where it is waited for."""

    def __init__(self, job: Callable[[], T]) -> None:
        self._job = job
        self._result: T
        self._error: BaseException | None = None

    def find(self) -> None:
        """Run the job; raises nothing."""
        try:
            self._result = self._job()
        except BaseException as error:  # noqa: BLE001  # raised again in result()
            self._error = error

    def result(self) -> T:
        """Return what the job returned, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return self._result
