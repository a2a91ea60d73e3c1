"""What survives a restart: SQLAlchemy tables, their migrations, and the repositories on them."""

from .owned import Ownable, Owned, OwnedMixin, register_owned
from .storage import Storage
from .upgrade import upgrade

__all__ = ["Ownable", "Owned", "OwnedMixin", "Storage", "register_owned", "upgrade"]
