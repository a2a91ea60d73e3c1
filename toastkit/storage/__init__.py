"""What survives a restart: SQLAlchemy tables, their migrations, and the repositories on them.

- ``storage`` holds the repositories: ``inbox``, ``tickets``, ``sessions``, ``devices``, ``deliveries``,
  ``anonymous`` and ``keeping``. ``tables`` are what all of them work on, ``stored`` how a toast's row
  is read, ``spelling`` how a statement is written for both databases.
- ``database`` reads with ``readers`` and writes through one ``writer``: its ``desk`` commits ``group``s
  in a native thread; ``checkpointer`` moves SQLite's log. ``sqlite`` and ``postgres`` (``native``) are
  what differs, chosen by ``engine``; ``trouble`` is what their errors mean, ``turn`` a lock.
- A toast: ``accepting`` takes it in, ``marking`` changes its state, ``due`` claims it for the sweeper,
  ``outbox`` holds it until a host's transaction has committed. It is read by ``page``, ``recovering``,
  ``tailing`` and ``facts``, and changed by ``readmarks``.
- What is owed for it: ``owing`` stores deliveries, ``claiming`` takes those that are due, ``settling``
  notes outcomes, ``concluding`` decides the toast, ``learning`` what they tell of a device.
- A rebind: ``rebinding`` is the list of steps, ``renaming`` those of our own tables, ``moving`` those of
  hosts', which ``owned`` names. ``forgetting`` deletes or exports one user, ``pruning`` what is old,
  both in ``batches``.
- The schema: ``upgrade`` and ``migrations``. ``looking`` (at a file, at a server) is for the doctor.
"""

from .looking import DatabaseFacts, Rows, SchemaFacts, Waiting, look, place_of
from .lookingfile import FileFacts
from .lookingserver import ServerFacts
from .owned import Ownable, Owned, OwnedMixin, register_owned
from .storage import Storage
from .upgrade import upgrade

__all__ = [
    "Ownable",
    "Owned",
    "OwnedMixin",
    "Storage",
    "register_owned",
    "upgrade",
    # What a database is like
    "DatabaseFacts",
    "FileFacts",
    "Rows",
    "SchemaFacts",
    "ServerFacts",
    "Waiting",
    "look",
    "place_of",
]
