"""Which tables hold what is one user's: the library's own, and those a host names.

Forgetting and exporting a user cover them all, and so does moving an anonymous principal's rows
to the user it becomes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sqlalchemy import Column, Connection, String, Table, event, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from ..errors import ConfigError
from . import tables

OnClash = Literal["keep", "replace", "error"]
"""What becomes of two rows when one user's are moved to another who has such a row already: the
other's row is kept, it is replaced, or nothing is moved at all."""

ON_CLASH = ("keep", "replace", "error")

Mover = Callable[[Connection, str, str], int]
"""Move the rows of a table instead of toastkit, with ``(connection, anon_id, user_id)``, and return
how many. Called in the thread that writes, inside its transaction: it uses that connection and
nothing else, and whatever it raises takes everything back."""


@dataclass(frozen=True, slots=True)
class Owned:
    """One column of one table that names the user a row belongs to; made by ``Owned.of``.

    ``hidden`` are columns no export shows. ``spelled`` returns how the column holds a user's id,
    or ``None`` when it can hold no row of that user.
    """

    table: Table
    column: Column[Any]
    on_clash: OnClash | Mover
    hidden: frozenset[str]
    spelled: Callable[[str], Any]

    @classmethod
    def of(
        cls,
        table: Table | type[Any],
        column: str = "user_id",
        *,
        on_clash: OnClash | Mover = "error",
        hidden: Iterable[str] = (),
    ) -> Owned:
        """Name a table of a host's, for one kit: ``ToastKit(app, owned=[Owned.of(Project)])``.

        It takes what ``register_owned`` takes; nothing is registered.

        Raises:
            ConfigError: there is no such column, or ``on_clash`` is none of its words.
        """
        found, user = _read(table, column)
        for name in hidden:
            if name not in found.c:
                raise ConfigError(f"owned tables: {found.fullname} has no column {name!r}")
        if not callable(on_clash) and on_clash not in ON_CLASH:
            words = ", ".join(ON_CLASH)
            raise ConfigError(
                f"owned tables: on_clash must be one of {words}, or a function that moves the rows"
            )
        return cls(found, user, on_clash, frozenset(hidden), _spelling(user))

    @property
    def name(self) -> str:
        """Return the table's name, with its schema where it has one."""
        return self.table.fullname


_registered: dict[tuple[str, str], Owned] = {}


def register_owned(
    table: Table | type[Any],
    column: str = "user_id",
    *,
    on_clash: OnClash | Mover = "error",
    hidden: Iterable[str] = (),
) -> None:
    """Name a table of your own whose rows belong to users, so that they can be forgotten and moved.

    ``table`` is an SQLAlchemy ``Table`` or a mapped class, in the database toastkit uses; ``column``
    holds the user's id. ``on_clash`` says what happens when an anonymous row becomes a user's who
    has such a row already (``keep`` the user's, ``replace`` it, or ``error``: nothing is moved), or
    is a function that moves the rows itself. ``hidden`` names columns that no export shows.

    It counts for every kit of the process that is not given tables of its own (``owned=``).
    Registering the same again is harmless.

    Raises:
        ConfigError: there is no such column, or it was registered in another way.
    """
    _add(Owned.of(table, column, on_clash=on_clash, hidden=hidden))


def owned() -> list[Owned]:
    """Return every registered column, the library's own first."""
    return list(_registered.values())


Ownable = Owned | Table | type[Any]
"""What names a table of one kit; of a table or a mapped class the column is ``user_id``."""


def chosen(given: Iterable[Ownable] | None) -> Callable[[], list[Owned]]:
    """Return what tells the columns of one kit: these and the library's, or all registered ones.

    Raises:
        ConfigError: a column is named twice, or something is neither table nor model.
    """
    if given is None:
        return owned  # asked at each use: a host may register more
    theirs = [each if isinstance(each, Owned) else Owned.of(each) for each in given]
    names = [f"{each.name}.{each.column.name}" for each in theirs]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"owned tables: {name} is named twice")
    every = [*filter(is_own, owned()), *theirs]
    return lambda: list(every)


def is_own(owned: Owned) -> bool:
    """Tell whether a column is of a table of toastkit's."""
    return owned.table.metadata is tables.metadata


class OwnedMixin:
    """Give a declarative model an indexed column ``user_id``, and register its table.

    ``__on_clash__`` is what ``register_owned`` takes as ``on_clash``.
    """

    __on_clash__: ClassVar[OnClash | Mover] = "error"

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
            raise ConfigError(f"owned tables: {given!r} is neither a Table nor a mapped class")
        table = mapper.local_table
        user = mapper.columns.get(column, table.c.get(column))  # the attribute, or the column
    if user is None or user.table is not table:
        raise ConfigError(f"owned tables: {table.fullname} has no column {column!r}")
    return table, user


def _add(fresh: Owned) -> None:
    key = (fresh.name, fresh.column.name)
    present = _registered.get(key)
    if present and (present.on_clash, present.hidden) != (fresh.on_clash, fresh.hidden):
        raise ConfigError(
            f"owned tables: {fresh.name}.{fresh.column.name} is registered already, "
            f"with on_clash={present.on_clash!r}"
        )
    _registered[key] = fresh  # the newer: a host may build its tables anew


def _spelling(column: Column[Any]) -> Callable[[str], Any]:
    """Return how a host's column holds a user's id, which is text here and may be a number there."""
    try:
        kind = column.type.python_type
    except NotImplementedError:
        # SQLAlchemy's word for a type that names none, such as a host's own.
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
