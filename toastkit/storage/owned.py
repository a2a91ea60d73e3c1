"""Which tables hold what is one user's: the library's own, and those a host names.

Forgetting and exporting a user cover them all, and so will moving an anonymous visitor's rows to
the account that visitor signs in to.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sqlalchemy import Column, String, Table, event, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from ..errors import ConfigError
from . import tables

OnClash = Literal["keep", "replace", "error"]
"""What becomes of two rows when one user's are moved to another who has such a row already: the
other's row is kept, it is replaced, or nothing is moved at all."""

ON_CLASH = ("keep", "replace", "error")


@dataclass(frozen=True, slots=True)
class Owned:
    """One column of one table that names the user a row belongs to.

    ``hidden`` are columns no export shows. ``spelled`` returns how the column holds a user's id,
    or ``None`` when it can hold no row of that user.
    """

    table: Table
    column: Column[Any]
    on_clash: OnClash
    hidden: frozenset[str]
    spelled: Callable[[str], Any]

    @property
    def name(self) -> str:
        """Return the table's name, with its schema where it has one."""
        return self.table.fullname


_registered: dict[tuple[str, str], Owned] = {}


def register_owned(
    table: Table | type[Any],
    column: str = "user_id",
    *,
    on_clash: OnClash = "error",
    hidden: tuple[str, ...] = (),
) -> None:
    """Name a table of your own whose rows belong to users, so that a user can be forgotten.

    ``table`` is an SQLAlchemy ``Table`` or a mapped class, in the database toastkit uses; ``column``
    holds the user's id. ``on_clash`` says what happens when one user's rows become another's who
    has such a row already (``keep`` the other's, ``replace`` it, or ``error``). ``hidden`` names
    columns that no export shows. Registering the same again is harmless.

    Raises:
        ConfigError: there is no such column, or it was registered in another way.
    """
    found, user = _read(table, column)
    for name in hidden:
        if name not in found.c:
            raise ConfigError(f"register_owned: {found.fullname} has no column {name!r}")
    if on_clash not in ON_CLASH:
        raise ConfigError(f"register_owned: on_clash must be one of {', '.join(ON_CLASH)}")
    _add(Owned(found, user, on_clash, frozenset(hidden), _spelling(user)))


def owned() -> list[Owned]:
    """Return every registered column, the library's own first."""
    return list(_registered.values())


class OwnedMixin:
    """Give a declarative model an indexed column ``user_id``, and register its table.

    ``__on_clash__`` is what ``register_owned`` takes as ``on_clash``.
    """

    __on_clash__: ClassVar[OnClash] = "error"

    user_id: Mapped[str] = mapped_column(String(200), index=True)


@event.listens_for(OwnedMixin, "instrument_class", propagate=True)
def _register_model(mapper: Mapper[Any], model: type[OwnedMixin]) -> None:
    # A subclass with a table of its own has the column in its parent's, where it is registered.
    table = mapper.local_table
    if isinstance(table, Table) and "user_id" in table.c:
        register_owned(table, on_clash=model.__on_clash__)


def _read(given: Table | type[Any], column: str) -> tuple[Table, Column[Any]]:
    if isinstance(given, Table):
        table, user = given, given.c.get(column)
    else:
        mapper = inspect(given, raiseerr=False)
        if not isinstance(mapper, Mapper) or not isinstance(mapper.local_table, Table):
            raise ConfigError(f"register_owned: {given!r} is neither a Table nor a mapped class")
        table = mapper.local_table
        user = mapper.columns.get(column, table.c.get(column))  # the attribute, or the column
    if user is None or user.table is not table:
        raise ConfigError(f"register_owned: {table.fullname} has no column {column!r}")
    return table, user


def _add(fresh: Owned) -> None:
    key = (fresh.name, fresh.column.name)
    present = _registered.get(key)
    if present and (present.on_clash, present.hidden) != (fresh.on_clash, fresh.hidden):
        raise ConfigError(
            f"register_owned: {fresh.name}.{fresh.column.name} is registered already, "
            f"with on_clash={present.on_clash!r}"
        )
    _registered[key] = fresh  # the newer: a host may build its tables anew


def _spelling(column: Column[Any]) -> Callable[[str], Any]:
    """Return how a host's column holds a user's id, which is text here and may be a number there."""
    try:
        kind = column.type.python_type
    except NotImplementedError:
        kind = str
    if not issubclass(kind, int | uuid.UUID):
        return str

    def spelled(user_id: str) -> Any:
        try:
            value = kind(user_id)
        except ValueError:
            return None
        # "07" is another user than "7", and has no row in a column of numbers.
        return value if str(value) == user_id else None

    return spelled


def _anonymous(user_id: str) -> str | None:
    bare = user_id.removeprefix("anon:")
    return None if bare == user_id else bare


def _own(table: Table, on_clash: OnClash, *hidden: str, column: str = "user_id") -> None:
    spelled = _anonymous if column == "anon_uuid" else str
    _add(Owned(table, table.c[column], on_clash, frozenset(hidden), spelled))


# Rows whose key has nothing to do with their user never clash: "error".
_own(tables.outbox, "error")
_own(tables.toasts, "error")  # they are given new positions
_own(tables.dedupe, "keep")  # what the account has been shown counts
_own(tables.deliveries, "error")
_own(tables.devices, "replace")  # the handset is where its newest registration says
_own(tables.tickets, "error", "token_hash", "session_hash")
_own(tables.sessions, "error", "token_hash")
_own(tables.anonymous, "error", "device_hash", "secret_hash", column="anon_uuid")
_own(tables.anonymous, "error", "device_hash", "secret_hash", column="rebound_to")
_own(tables.principals, "keep")  # the account's numbering goes on
