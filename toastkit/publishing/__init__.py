"""The one road of every event, from its draft to its receipt."""

from .confirm import decide
from .controls import Controls
from .courier import Courier, CourierParts
from .data import Data, DataParts, Keeping
from .deliveries import Deliveries, DeliveriesParts, Told
from .draft import ToastOptions, control_event, toast_event
from .explain import Explanation
from .fallback import Fallback, FallbackParts
from .inbox import Inbox
from .posting import Senders
from .publisher import Publisher, PublisherParts
from .rounds import Round, Rounds
from .sink import Sink
from .sweeper import Sweeper, SweeperParts
from .tail import Tail, TailEntry
from .toasts import Toasts, ToastsParts

__all__ = [
    "Controls",
    "Courier",
    "CourierParts",
    "Data",
    "DataParts",
    "Deliveries",
    "DeliveriesParts",
    "Explanation",
    "Fallback",
    "FallbackParts",
    "Inbox",
    "Keeping",
    "Publisher",
    "PublisherParts",
    "Round",
    "Rounds",
    "Senders",
    "Sink",
    "Sweeper",
    "SweeperParts",
    "Tail",
    "TailEntry",
    "ToastOptions",
    "Toasts",
    "ToastsParts",
    "Told",
    "control_event",
    "decide",
    "toast_event",
]
