"""What survives a restart: SQLAlchemy tables, their migrations, and the repositories on them."""

from .owned import OwnedMixin, register_owned
from .storage import Storage
from .upgrade import upgrade

__all__ = ["OwnedMixin", "Storage", "register_owned", "upgrade"]
