"""A fallback with all it leans on, for tests that let phones ring or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.fakes import World
from toastkit.deliveries import Delivery, Due, Outcome, Owed, Owing
from toastkit.errors import StorageUnavailable
from toastkit.publishing import Fallback, FallbackParts
from toastkit.publishing.board import Board


def _of(dues: Sequence[Due], now: int) -> Owed:
    at_once = [due.kind for due in dues if due.at <= now]
    return Owed(len(at_once), len(dues) - len(at_once), at_once[0] if at_once else None)


@dataclass
class FakeOwed:
    """Remember what is owed, and answer as the test says: one delivery for what is due at once."""

    says: Callable[[Owing], Owed | None] = lambda owing: _of(owing.dues, owing.at)
    owings: list[Owing] = field(default_factory=list)
    broken: bool = False

    def owe(self, owings: Sequence[Owing]) -> list[Owed | None]:
        if self.broken:
            raise StorageUnavailable("the database is locked")
        self.owings += owings
        return [self.says(owing) for owing in owings]


class FakeCarrier:
    """Post nothing by itself: what was answered is said by the test, as soon as it is hurried."""

    def __init__(self, world: World) -> None:
        self.board = Board(world.runtime, world.clock)
        self.well = True
        self.hurried = 0
        self.answers: list[tuple[Delivery, Outcome]] = []

    def prompt(self, kind: str) -> bool:
        return self.well

    def hurry(self) -> None:
        self.hurried += 1
        for delivery, outcome in self.answers:
            self.board.tell(delivery, outcome)


class Phones:
    """Hold a fallback to some kinds, and what it leans on."""

    def __init__(self, world: World, *kinds: str) -> None:
        self.world, self.owed = world, FakeOwed()
        self.carrier: FakeCarrier | None = FakeCarrier(world)
        self.fallback = Fallback(
            FallbackParts(world.config, world.clock, self.owed, kinds, lambda: self.carrier)
        )

    def answer(self, toast_id: str, *outcomes: Outcome, seq: int = 1, kind: str = "apns") -> None:
        """Have the courier say this as soon as the toast's deliveries are owed."""
        assert self.carrier is not None
        delivery = Delivery(
            id="d",
            kind=kind,
            target="",
            payload={},
            created_at=0,
            expires_at=1,
            toast_id=toast_id,
            seq=seq,
        )
        self.carrier.answers += [(delivery, outcome) for outcome in outcomes]
