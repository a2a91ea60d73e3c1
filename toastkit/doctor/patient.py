"""Who is examined, and what is gathered of them: everything the checks look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from ..clock import Clock, SystemClock
from ..config import Config
from ..kit import Kit
from ..storage import DatabaseFacts
from .findings import Finding


@dataclass(frozen=True, kw_only=True)
class Patient:
    """Name what is to be examined.

    ``trouble`` says why there is no kit. ``sources`` says where each setting was said, what is
    missing has its default; ``said`` holds every key that could be one, by the name of the place.
    ``own_schema``: whether toastkit's migrations make its tables, or a host's. ``words`` are what
    gunicorn's command line says, as far as somebody knows. ``more`` is what else there is to check,
    ``command`` how toastkit's commands are called here.
    """

    config: Config
    sources: Mapping[str, str]
    said: Mapping[str, Mapping[str, object]]
    kit: Kit | None = None
    trouble: str = ""
    own_schema: bool = True
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = field(default_factory=SystemClock)
    words: Sequence[str] = ()
    more: tuple[NamedCheck, ...] = ()
    command: str = "toastkit"
    begun: tuple[int, float] = field(init=False)
    """What the clock said when this began, as a time and for durations."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "begun", (self.clock.now(), self.clock.monotonic()))


class ClockFacts(Struct, frozen=True):
    """Hold two readings of the clock, and how much later the second was, in milliseconds."""

    first: int
    second: int
    elapsed: int


class MachineFacts(Struct, frozen=True):
    """Hold what this process may use: files, and bytes of memory (``None``: nobody knows)."""

    files: int
    most_files: int
    memory: int | None


class GeventFacts(Struct, frozen=True):
    """Hold what gevent has replaced in a process.

    ``early`` names the packages that were imported before, and keep what was replaced.
    """

    version: str = ""
    patched: tuple[str, ...] = ()
    early: tuple[str, ...] = ()


class GunicornFacts(Struct, frozen=True):
    """Hold gunicorn's configuration as a start in this folder would read it.

    ``worker_class`` is empty where only an unknown command line can name it. ``hooks`` has the
    module of each hook that somebody set. ``together``: workers keep metrics in one folder.
    ``gevent`` and ``files`` are how the configuration file leaves the process. ``trouble`` is why
    it could not be read.
    """

    installed: bool = True
    asked: bool = True
    trouble: str = ""
    file: str = ""
    worker_class: str = ""
    workers: int = 1
    threads: int = 1
    graceful_timeout: int = 30
    preload: bool = False
    hooks: dict[str, str] = {}
    helped: bool = False
    together: bool = False
    gevent: GeventFacts = GeventFacts()
    files: int = 0


class RedisFacts(Struct, frozen=True):
    """Hold what is known of a Redis; what it does not tell is empty or 0.

    ``speaks`` is whose Redis' commands it has, ``name`` how everything of toastkit's begins there,
    ``workers`` how many processes listen to that, ``buffer`` how many bytes may wait for a listener.
    ``open_to_all``: it is on another machine, and was reached without a password.
    """

    place: str
    trouble: str = ""
    kind: str = ""
    version: str = ""
    speaks: str = ""
    name: str = ""
    workers: int = 0
    ping_ms: float = 0.0
    replica: bool = False
    cluster: bool = False
    policy: str = ""
    used: int = 0
    most: int = 0
    clients: int = 0
    most_clients: int = 0
    buffer: int = 0
    open_to_all: bool = False


class KeyFacts(Struct, frozen=True):
    """Hold what is known of a key that signs pushes: who may read it."""

    mode: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Hold everything that was gathered; what could not be is ``None``, and told in ``broken``."""

    patient: Patient
    database: DatabaseFacts | None = None
    redis: RedisFacts | None = None
    clock: ClockFacts | None = None
    machine: MachineFacts | None = None
    gevent: GeventFacts | None = None
    gunicorn: GunicornFacts | None = None
    key: KeyFacts | None = None
    broken: tuple[Finding, ...] = ()


Check = Callable[[Facts], Iterable[Finding]]

NamedCheck = tuple[str, Check]
