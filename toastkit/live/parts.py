"""What the live half of a worker is made of."""

from __future__ import annotations

from dataclasses import dataclass

from ..backplane.contract import Backplane
from ..clock import Clock
from ..config import Config
from ..publishing.inbox import Inbox
from ..runtime.contract import Runtime
from .rules import Rules


@dataclass(frozen=True, slots=True)
class NodeParts:
    """What a node is made of; of the inbox it reads what was missed, and marks what arrived."""

    config: Config
    clock: Clock
    runtime: Runtime
    backplane: Backplane
    rules: Rules
    inbox: Inbox
