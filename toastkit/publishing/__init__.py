"""The one road of every event, from its draft to its receipt."""

from .confirm import decide
from .controls import Controls
from .data import Data, DataParts, Keeping
from .draft import ToastOptions, control_event, toast_event
from .explain import Explanation
from .inbox import Inbox
from .publisher import Publisher, PublisherParts
from .sweeper import Sweeper, SweeperParts
from .toasts import Toasts, ToastsParts

__all__ = [
    "Controls",
    "Data",
    "DataParts",
    "Explanation",
    "Inbox",
    "Keeping",
    "Publisher",
    "PublisherParts",
    "Sweeper",
    "SweeperParts",
    "ToastOptions",
    "Toasts",
    "ToastsParts",
    "control_event",
    "decide",
    "toast_event",
]
