"""What the live half of a worker is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..backplane.contract import Backplane
from ..clock import Clock
from ..config import Config
from ..publishing.inbox import Inbox
from ..records import Ticket
from ..runtime.contract import Runtime
from .comings import Witness
from .rules import Rules


@dataclass(frozen=True, slots=True)
class NodeParts:
    """What a node is made of; of the inbox it reads what was missed, and marks what arrived.

    ``redeem`` returns the ticket of a token, or says that it is none; it may block. ``witness`` is
    told who comes and goes.
    """

    config: Config
    clock: Clock
    runtime: Runtime
    backplane: Backplane
    rules: Rules
    inbox: Inbox
    redeem: Callable[[str], Ticket]
    witness: Witness = field(default_factory=Witness)
