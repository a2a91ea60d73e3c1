"""What survives a restart: SQLAlchemy tables, their migrations, and the repositories on them."""

from .storage import Storage
from .upgrade import upgrade

__all__ = ["Storage", "upgrade"]
