"""The one road of every event, from its draft to its receipt.

- ``draft`` makes an event, ``publisher`` stores, tells and decides it (``confirm``), ``fallback`` owes
  what follows where nobody was there; ``controls`` are not stored. A ``sink`` is told of all that.
- ``courier`` carries what is owed: ``posting`` calls the senders, ``judge`` decides what an answer
  means (``health``, ``pauses``), ``board`` tells a publisher that waits.
- ``sweeper`` looks for what is due; ``rounds`` and ``errands`` are how jobs run beside the loop.
- ``toasts``, ``deliveries`` and ``data`` are facets of the kit. A toast is explained by ``explain``:
  ``verdict`` in a word, ``hints`` and ``attempts`` beside it; ``tail`` follows toasts as they come.
- ``inbox`` is what all of them ask of storage.
"""

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
