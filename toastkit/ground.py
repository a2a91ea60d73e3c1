"""What every part of one kit uses: settings, clock, runtime, backplane, storage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .announcing import Announcer, Teller
from .backplane import MemoryBackplane
from .backplane.contract import Backplane
from .clock import Clock, SystemClock
from .config import Config
from .errors import ConfigError
from .hooks import Hooks
from .joining import Host
from .metrics import Beside, Metrics
from .runtime import runtime_for
from .runtime.contract import Runtime
from .storage import Ownable, Storage


@dataclass(frozen=True, slots=True)
class Ground:
    """Hold what every part of one kit uses."""

    config: Config
    hooks: Hooks
    clock: Clock
    runtime: Runtime
    backplane: Backplane
    storage: Storage
    announcer: Announcer
    metrics: Metrics | None = None

    @classmethod
    def of(
        cls,
        config: Config,
        hooks: Hooks | None,
        clock: Clock | None,
        *,
        announcer: Announcer,
        host: Host | None = None,
        owned: Iterable[Ownable] | None = None,
        metrics: Metrics | None = None,
    ) -> Ground:
        """Make it from the settings; touches neither disk nor threads."""
        clock, runtime = clock or SystemClock(), runtime_for(config.runtime)
        storage = Storage(
            config.database_url,
            runtime,
            clock,
            wait_ms=config.storage_wait_ms,
            own_schema=host is None or host.beside,
            owned=owned,
        )
        if metrics is not None:
            storage.tell_commits(metrics.committed)
        backplane = _make_backplane(config, runtime, clock)
        hooks = hooks or Hooks()
        return cls(config, hooks, clock, runtime, backplane, storage, announcer, metrics)

    @property
    def teller(self) -> Teller:
        """Return who is told of everything that happens."""
        told = self.announcer
        return told if self.metrics is None else Beside(self.metrics, told)

    @property
    def timed_backplane(self) -> Backplane:
        """Return the backplane as a publisher uses it."""
        metrics, plain = self.metrics, self.backplane
        return plain if metrics is None else metrics.timed(plain, self.clock)

    def close(self) -> None:
        """Close everything, when no part of the kit uses it any more."""
        self.backplane.close()
        self.storage.close()
        if self.metrics is not None:
            self.metrics.end()
        self.runtime.close()

    def abandon(self) -> None:
        """Begin anew in a forked child: connections and counts are its parent's."""
        self.backplane.abandon()
        if self.metrics is not None:
            self.metrics.abandon()


def _make_backplane(config: Config, runtime: Runtime, clock: Clock) -> Backplane:
    if not config.redis_url:
        return MemoryBackplane(runtime)
    try:
        # Imported here: a process without Redis need not have its packages.
        from .backplane.redis import RedisBackplane
    except ImportError as error:
        remedy = (
            "redis_url is set, but the package for it is missing: pip install 'toastkit[redis]'"
        )
        raise ConfigError(remedy) from error
    return RedisBackplane(config, runtime, clock)
