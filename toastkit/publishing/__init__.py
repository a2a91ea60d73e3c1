"""The one road of every event, from its draft to its receipt."""

from .confirm import decide
from .draft import ToastOptions, control_event, toast_event
from .inbox import Inbox, Toasts
from .publisher import Publisher, PublisherParts
from .sweeper import Sweeper, SweeperParts

__all__ = [
    "Inbox",
    "Publisher",
    "PublisherParts",
    "Sweeper",
    "SweeperParts",
    "ToastOptions",
    "Toasts",
    "control_event",
    "decide",
    "toast_event",
]
