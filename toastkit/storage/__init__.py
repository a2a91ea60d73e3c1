"""What survives a restart: SQLAlchemy tables, their migrations, and the repositories on them."""

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
