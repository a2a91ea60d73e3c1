"""The one road of every event, from its draft to its receipt."""

from .confirm import decide
from .draft import ToastOptions, control_event, toast_event
from .explain import Explanation
from .inbox import Inbox
from .publisher import Publisher, PublisherParts
from .sweeper import Sweeper, SweeperParts
from .toasts import Toasts, ToastsParts

__all__ = [
    "Explanation",
    "Inbox",
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
