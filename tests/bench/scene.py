"""What every measurement is given, and what it returns."""

from dataclasses import dataclass

from tests.apple.remote import RemoteApple

from .client import Crowd
from .contenders import Contender, Seed
from .server import Server

Figures = dict[str, float]


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    connections: int
    subscribers: int
    bursts: int
    listeners: int
    publishes: int
    open_seconds: float
    many: int
    pushes: int
    warmup: int = 200


@dataclass(frozen=True)
class Scene:
    """One fresh server with the clients that are to come."""

    contender: Contender
    server: Server
    crowd: Crowd
    sizes: Sizes
    seed: Seed
    apple: RemoteApple | None = None
